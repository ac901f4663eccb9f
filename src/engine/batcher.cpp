#include "engine/batcher.hpp"

#include <algorithm>
#include <optional>
#include <tuple>

#include "engine/turn_order.hpp"

namespace limner::engine {
namespace {

// A group that could run now.
struct Contender {
  const Group* group = nullptr;
  Duration used{};
  int ticks_idle = 0;
  bool has_active = false;
};

struct Candidate {
  const Waiting* request = nullptr;
  bool is_active = false;
  int overdue_ticks = 0;  // 0 unless paused for request_ticks_max or more
};

std::vector<Contender> contenders(std::span<const Waiting> waiting, std::span<const Active> active,
                                  std::span<const GroupTurn> turns, const BatchLimits& limits) {
  std::vector<Contender> found;
  const auto add = [&](const Group& group, bool is_active) {
    const auto same = [&](const Contender& c) { return *c.group == group; };
    if (const auto it = std::ranges::find_if(found, same); it != found.end()) {
      it->has_active |= is_active;
      return;
    }
    const auto turn = std::ranges::find(turns, group, &GroupTurn::group);
    if (turn == turns.end()) {
      found.push_back({.group = &group, .has_active = is_active});
    } else {
      found.push_back({&group, turn->used, turn->ticks_idle, is_active});
    }
  };
  for (const auto& entry : active) add(entry.request.group, true);
  const bool has_free_place = std::ssize(active) < limits.active_max;
  if (has_free_place) {
    for (const auto& entry : waiting) add(entry.group, false);
  }
  return found;
}

// A group idle for turn_ticks_max - G ticks has at most G - 1 others before it, so it is served by
// tick max(turn_ticks_max, G). G counts those without a place too: they may get one meanwhile.
const Contender& choose_group(std::span<const Contender> groups, int group_count,
                              const BatchLimits& limits) {
  const int idle_max = std::max(0, limits.turn_ticks_max - group_count);
  const auto longest_idle = std::ranges::max_element(
      groups, {}, [](const Contender& c) { return std::tuple(c.ticks_idle, -c.used.count()); });
  if (longest_idle->ticks_idle >= idle_max) return *longest_idle;
  return *std::ranges::min_element(
      groups, {}, [](const Contender& c) { return std::tuple(c.used, -c.ticks_idle); });
}

std::vector<Candidate> candidates(const Group& group, std::span<const Waiting> waiting,
                                  std::span<const Active> active, const BatchLimits& limits) {
  std::vector<Candidate> found;
  std::vector<Turn> turns;
  const auto add = [&](const Waiting& request, bool is_active, int ticks_idle) {
    if (request.group != group) return;
    const bool is_overdue = is_active && ticks_idle >= limits.request_ticks_max;
    found.push_back({.request = &request,
                     .is_active = is_active,
                     .overdue_ticks = is_overdue ? ticks_idle : 0});
    turns.push_back({.principal = request.principal,
                     .used = request.used,
                     .due = due_of(request.since, request.work, limits),
                     .work = request.work,
                     .id = static_cast<std::uint64_t>(request.id)});
  };
  for (const auto& entry : active) add(entry.request, true, entry.ticks_idle);
  for (const auto& entry : waiting) add(entry, false, 0);
  std::vector<Candidate> ordered;
  for (const auto i : turn_order(turns)) ordered.push_back(found[i]);
  std::ranges::stable_sort(ordered, {}, [](const Candidate& c) { return -c.overdue_ticks; });
  return ordered;
}

}  // namespace

TimePoint due_of(TimePoint since, Duration work, const BatchLimits& limits) {
  return since + limits.stretch * work;
}

BatchPlan plan_batch(std::span<const Waiting> waiting, std::span<const Active> active,
                     std::span<const GroupTurn> turns, const BatchLimits& limits) {
  const auto groups = contenders(waiting, active, turns, limits);
  if (groups.empty()) return {};
  const int group_count = static_cast<int>(std::max(groups.size(), turns.size()));
  const Contender& chosen = choose_group(groups, group_count, limits);

  const int places_free = limits.active_max - static_cast<int>(active.size());
  int places = std::max(places_free - limits.active_reserved, chosen.has_active ? 0 : 1);
  places = std::min(places, limits.admissions_per_tick_max);

  BatchPlan plan;
  int rows = 0;
  for (const auto& candidate : candidates(*chosen.group, waiting, active, limits)) {
    const Waiting& request = *candidate.request;
    // The first always fits: a request larger than the budget goes alone.
    const bool fits = plan.step.empty() || rows + request.rows <= request.rows_max;
    if (!fits || (!candidate.is_active && places == 0)) continue;
    rows += request.rows;
    plan.step.push_back(request.id);
    if (candidate.is_active) continue;
    plan.admit.push_back(request.id);
    --places;
  }
  return plan;
}

}  // namespace limner::engine
