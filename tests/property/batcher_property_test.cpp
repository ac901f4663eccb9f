// What must hold of every plan, whatever the requests: random loads, many seeds. A failure prints
// its seed.
#include <algorithm>
#include <map>
#include <random>
#include <set>

#include <gtest/gtest.h>

#include "engine/batcher.hpp"
#include "engine/group_turns.hpp"
#include "engine/turn_order.hpp"
#include "property/seeds.hpp"

namespace limner::engine {
namespace {

using std::chrono::milliseconds;

constexpr int kTicks = 400;

// The engine's part of the bargain, without an engine.
class World {
 public:
  explicit World(unsigned seed) : random_(seed) {
    limits_ = {.active_max = pick(1, 12),
               .active_reserved = pick(0, 4),
               .admissions_per_tick_max = pick(1, 4)};
    const int group_count = pick(1, 12);
    for (int i = 0; i < group_count; ++i) {
      groups_.push_back({.model = i % 2 ? "m" : "n", .key = {.latent_height = 8 * i}});
      rows_max_.push_back(pick(1, 8));
      step_times_.push_back(milliseconds{pick(1, 500)});
    }
    arrivals_percent_ = pick(0, 60);
  }

  void run() {
    for (int tick = 0; tick < kTicks; ++tick) {
      if (pick(0, 99) < arrivals_percent_) arrive();
      step();
      if (testing::Test::HasFatalFailure()) return;
    }
    // Without newcomers everything ends.
    for (int tick = 0; tick < 40'000 && !(waiting_.empty() && active_.empty()); ++tick) {
      step();
      if (testing::Test::HasFatalFailure()) return;
    }
    ASSERT_TRUE(waiting_.empty() && active_.empty()) << "a request starved";
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  void arrive() {
    const auto group = static_cast<std::size_t>(pick(0, static_cast<int>(groups_.size()) - 1));
    const int steps = pick(1, 30);
    const RequestId id{next_id_++};
    steps_left_[id] = steps;
    waiting_.push_back({.id = id,
                        .group = groups_[group],
                        .rows = pick(1, 10),
                        .rows_max = rows_max_[group],
                        .since = now_,
                        .work = steps * step_times_[group]});
  }

  void step() {
    std::vector<Group> present;
    for (const auto& w : waiting_) present.push_back(w.group);
    for (const auto& a : active_) present.push_back(a.request.group);
    turns_.sync(present);
    const BatchPlan plan = plan_batch(waiting_, active_, turns_.view(), limits_);
    ASSERT_NO_FATAL_FAILURE(check_plan(plan));
    ASSERT_NO_FATAL_FAILURE(check_fairness(plan));
    apply(plan);
  }

  const Waiting* find(RequestId id) const {
    for (const auto& w : waiting_) {
      if (w.id == id) return &w;
    }
    for (const auto& a : active_) {
      if (a.request.id == id) return &a.request;
    }
    return nullptr;
  }

  void check_plan(const BatchPlan& plan) const {
    ASSERT_EQ(plan.step.empty(), waiting_.empty() && active_.empty()) << "work and an idle machine";
    std::set<RequestId> once(plan.step.begin(), plan.step.end());
    ASSERT_EQ(once.size(), plan.step.size()) << "a request planned twice";
    int rows = 0;
    int rows_max = 0;
    for (const RequestId id : plan.step) {
      const Waiting* request = find(id);
      ASSERT_NE(request, nullptr) << "a request nobody sent";
      ASSERT_EQ(request->group, find(plan.step.front())->group) << "two groups in one call";
      rows += request->rows;
      rows_max = request->rows_max;
    }
    ASSERT_TRUE(rows <= rows_max || plan.step.size() == 1) << "over the row budget";
    for (const RequestId id : plan.admit) {
      ASSERT_TRUE(once.contains(id)) << "admitted and not stepped";
      ASSERT_TRUE(std::ranges::count(waiting_, id, &Waiting::id) == 1) << "admitted twice";
    }
    ASSERT_LE(std::ssize(active_) + std::ssize(plan.admit), limits_.active_max);
    ASSERT_LE(std::ssize(plan.admit), limits_.admissions_per_tick_max);
  }

  void check_fairness(const BatchPlan& plan) {
    const bool has_free_place = std::ssize(active_) < limits_.active_max;
    std::set<Group> servable;
    for (const auto& a : active_) servable.insert(a.request.group);
    if (has_free_place) {
      for (const auto& w : waiting_) servable.insert(w.group);
    }
    std::erase_if(group_idle_, [&](const auto& idle) { return !servable.contains(idle.first); });
    for (const auto& group : servable) ++group_idle_[group];
    if (!plan.step.empty()) group_idle_.erase(find(plan.step.front())->group);
    // With more groups than turn_ticks_max, one round of them all.
    const int bound = std::max<int>(limits_.turn_ticks_max, static_cast<int>(groups_.size()));
    for (const auto& [group, ticks] : group_idle_) {
      ASSERT_LT(ticks, bound) << "a group was passed over too long";
    }
    for (const auto& a : active_) {
      ASSERT_LE(a.ticks_idle, limits_.request_ticks_max + limits_.active_max * bound)
          << "a request was paused too long";
    }
  }

  void apply(const BatchPlan& plan) {
    for (auto& a : active_) ++a.ticks_idle;
    for (const RequestId id : plan.admit) {
      const auto it = std::ranges::find(waiting_, id, &Waiting::id);
      active_.push_back({.request = *it});
      waiting_.erase(it);
    }
    Duration took = milliseconds{1};
    for (auto& a : active_) {
      if (std::ranges::find(plan.step, a.request.id) == plan.step.end()) continue;
      a.ticks_idle = 0;
      --steps_left_[a.request.id];
      const auto group = std::ranges::find(groups_, a.request.group) - groups_.begin();
      took = step_times_[static_cast<std::size_t>(group)];
    }
    if (!plan.step.empty()) turns_.record(find(plan.step.front())->group, took);
    now_ += took;
    // Finished, or left.
    std::erase_if(active_, [&](const Active& a) {
      return steps_left_[a.request.id] == 0 || pick(0, 299) == 0;
    });
    std::erase_if(waiting_, [&](const Waiting&) { return pick(0, 299) == 0; });
  }

  std::mt19937 random_;
  BatchLimits limits_;
  int arrivals_percent_ = 0;
  std::vector<Group> groups_;
  std::vector<int> rows_max_;
  std::vector<Duration> step_times_;

  TimePoint now_{};
  std::uint64_t next_id_ = 1;
  std::vector<Waiting> waiting_;
  std::vector<Active> active_;
  std::map<RequestId, int> steps_left_;
  std::map<Group, int> group_idle_;
  GroupTurns turns_;
};

TEST(BatcherProperty, EveryPlanIsSoundAndNobodyStarves) {
  for (unsigned seed = 1; seed <= test::seed_count(300); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ASSERT_NO_FATAL_FAILURE(World(seed).run());
  }
}

// Without the bound in time, a stream of short requests would hold a long one up for ever.
TEST(BatcherProperty, ALongRequestEndsHoweverManyShortOnesCome) {
  const Group group{.model = "m", .key = {}};
  const milliseconds step{100};
  const auto request = [&](std::uint64_t id, TimePoint since, int steps) {
    return Waiting{.id = RequestId{id}, .group = group, .since = since, .work = steps * step};
  };
  constexpr int kLongSteps = 100;
  TimePoint now{};
  std::vector<Active> active{{.request = request(1, now, kLongSteps)}};
  std::map<RequestId, int> steps_left{{RequestId{1}, kLongSteps}};
  std::uint64_t next_id = 2;
  int ticks = 0;
  for (; steps_left[RequestId{1}] > 0; ++ticks) {
    ASSERT_LT(ticks, 4 * kLongSteps) << "twice its own length, and its own length, with room";
    std::vector<Waiting> waiting;
    if (active.size() < 2) {
      waiting.push_back(request(next_id, now, 5));
      steps_left[RequestId{next_id++}] = 5;
    }
    const auto plan = plan_batch(waiting, active, {}, {});
    ASSERT_EQ(plan.step.size(), 1u);
    if (!plan.admit.empty()) active.push_back({.request = waiting[0]});
    for (auto& a : active) a.ticks_idle = a.request.id == plan.step[0] ? 0 : a.ticks_idle + 1;
    if (--steps_left[plan.step[0]] == 0) {
      std::erase_if(active, [&](const Active& a) { return a.request.id == plan.step[0]; });
    }
    now += step;
  }
}

// One principal sends without end, the others one request at a time: each of these is painted as if
// only so many shared the machine as there are principals.
class Flood {
 public:
  explicit Flood(unsigned seed) : random_(seed) {
    rows_max_ = pick(1, 8);
    polite_count_ = pick(1, 4);
    steps_ = pick(1, 30);
    flood_steps_ = pick(1, 60);
    flood_size_ = pick(1, 60);
  }

  void run() {
    for (int tick = 0; tick < kTicks; ++tick) {
      while (count("flood") < flood_size_) arrive("flood", flood_steps_);
      for (int i = 0; i < polite_count_; ++i) {
        const auto name = "polite" + std::to_string(i);
        if (count(name) == 0) arrive(name, steps_);
      }
      step();
      for (const auto& request : active_and_waiting()) {
        if (request.principal == "flood") continue;
        const int age = tick - arrived_.at(request.id);
        ASSERT_LE(age, (polite_count_ + 1) * (steps_ + 1) + BatchLimits{}.request_ticks_max)
            << request.principal << " waits for others' floods";
      }
    }
  }

 private:
  int pick(int low, int high) { return std::uniform_int_distribution(low, high)(random_); }

  std::vector<Waiting> active_and_waiting() const {
    auto all = waiting_;
    for (const auto& a : active_) all.push_back(a.request);
    return all;
  }
  int count(const std::string& principal) const {
    return static_cast<int>(
        std::ranges::count(active_and_waiting(), principal, &Waiting::principal));
  }

  void arrive(const std::string& principal, int steps) {
    const RequestId id{next_id_++};
    steps_left_[id] = steps;
    arrived_[id] = ticks_;
    waiting_.push_back({.id = id,
                        .group = {.model = "m", .key = {}},
                        .rows_max = rows_max_,
                        .since = now_,
                        .work = steps * kStep,
                        .principal = principal});
  }

  void step() {
    const auto all = active_and_waiting();
    std::vector<std::string_view> present;
    for (const auto& request : all) present.push_back(request.principal);
    turns_.sync(present);
    for (auto& w : waiting_) w.used = turns_.used(w.principal);
    for (auto& a : active_) a.request.used = turns_.used(a.request.principal);
    const auto plan = plan_batch(waiting_, active_, {}, {});
    for (auto& a : active_) ++a.ticks_idle;
    for (const RequestId id : plan.admit) {
      const auto it = std::ranges::find(waiting_, id, &Waiting::id);
      active_.push_back({.request = *it});
      waiting_.erase(it);
    }
    for (auto& a : active_) {
      if (std::ranges::find(plan.step, a.request.id) == plan.step.end()) continue;
      a.ticks_idle = 0;
      --steps_left_[a.request.id];
      turns_.record(a.request.principal, kStep / static_cast<int>(plan.step.size()));
    }
    std::erase_if(active_, [&](const Active& a) { return steps_left_[a.request.id] == 0; });
    now_ += kStep;
    ++ticks_;
  }

  static constexpr milliseconds kStep{100};
  std::mt19937 random_;
  int rows_max_ = 1;
  int polite_count_ = 1;
  int steps_ = 1;
  int flood_steps_ = 1;
  int flood_size_ = 1;
  int ticks_ = 0;
  TimePoint now_{};
  std::uint64_t next_id_ = 1;
  std::vector<Waiting> waiting_;
  std::vector<Active> active_;
  std::map<RequestId, int> steps_left_;
  std::map<RequestId, int> arrived_;
  PrincipalTurns turns_;
};

TEST(BatcherProperty, AFloodOfOnePrincipalHoldsUpNobodyElse) {
  for (unsigned seed = 1; seed <= test::seed_count(300); ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ASSERT_NO_FATAL_FAILURE(Flood(seed).run());
  }
}

}  // namespace
}  // namespace limner::engine
