#include "engine/admission.hpp"

#include <algorithm>
#include <set>
#include <unordered_map>

#include "engine/refusals.hpp"

namespace limner::engine {
namespace {

// What waits, as far as it concerns a newcomer.
struct Crowd {
  std::size_t of_model = 0;
  std::size_t own = 0;
  std::size_t own_of_model = 0;
  std::size_t principals = 1;  // that wait for the model, the newcomer's among them
};

Crowd count(const Loads& loads, const Newcomer& newcomer) {
  Crowd crowd;
  std::set<std::string_view> principals = {newcomer.principal};
  for (const auto& [key, load] : loads) {
    if (!load.is_waiting) continue;
    const bool is_own = load.principal == newcomer.principal;
    crowd.own += is_own ? 1 : 0;
    if (load.model != newcomer.model) continue;
    ++crowd.of_model;
    crowd.own_of_model += is_own ? 1 : 0;
    principals.insert(load.principal);
  }
  crowd.principals = principals.size();
  return crowd;
}

}  // namespace

QueuePlace place_of(const Traffic& traffic, const Newcomer& newcomer) {
  QueuePlace place;
  for (const auto& [key, load] : traffic.loads) {
    if (key.due > newcomer.due) break;
    if (load.principal != newcomer.principal) continue;
    place.position += load.is_waiting ? 1 : 0;
    place.expected_wait += load.work;
    if (!load.is_guessed) place.measured_wait += load.work;
  }
  const Duration level = used_by(traffic.used, newcomer.principal) + place.expected_wait;
  std::unordered_map<std::string_view, Duration> reached;  // by what was counted of each other one
  for (const auto& [key, load] : traffic.loads) {
    if (load.principal == newcomer.principal) continue;
    auto& begins =
        reached.try_emplace(load.principal, used_by(traffic.used, load.principal)).first->second;
    const Duration counted = std::clamp(level - begins, Duration{}, load.work);
    place.position += load.is_waiting && counted > Duration{} ? 1 : 0;
    place.expected_wait += counted;
    if (!load.is_guessed) place.measured_wait += counted;
    begins += load.work;
  }
  return place;
}

Result<void> check_places(const Traffic& traffic, const Newcomer& newcomer,
                          const QueueLimits& limits, Duration until_ready) {
  const auto crowd = count(traffic.loads, newcomer);
  const auto own_wait = [&] { return until_ready + place_of(traffic, newcomer).expected_wait; };
  const auto own_max = limits.requests_per_principal_max;
  if (own_max > 0 && crowd.own >= own_max) return queue_share_used(crowd.own, own_wait());
  if (crowd.of_model < limits.requests_max) return {};
  const auto share = std::max<std::size_t>(1, limits.requests_max / crowd.principals);
  if (crowd.own_of_model < share && crowd.of_model < 2 * limits.requests_max) return {};
  return queue_full(crowd.of_model, own_wait());
}

Result<void> check_wait(const Traffic& traffic, const Newcomer& newcomer,
                        const QueueLimits& limits) {
  const bool has_waiting =
      std::ranges::any_of(traffic.loads, [](const auto& entry) { return entry.second.is_waiting; });
  if (!has_waiting) return {};
  // Guesses are on the slow side, which must not refuse anybody.
  const auto wait = place_of(traffic, newcomer).measured_wait;
  if (wait < limits.work_max) return {};
  return too_much_work(wait, wait - limits.work_max);
}

}  // namespace limner::engine
