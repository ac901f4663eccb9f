#include "engine/admission.hpp"

#include <gmock/gmock.h>

namespace limner::engine {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

// What is on its way, in the order of sending.
class Queue {
  Traffic traffic_;

 public:
  struct Spec {
    std::string principal = "a";
    std::string model = "m";
    int work_s = 1;
    bool is_waiting = true;
    bool is_guessed = false;
  };
  void add(const Spec& spec, int count = 1) {
    for (int i = 0; i < count; ++i) {
      const auto id = ++last_id_;
      traffic_.loads.emplace(
          LoadKey{.due = TimePoint{} + seconds{2 * spec.work_s}, .id = RequestId{id}},
          Load{.principal = spec.principal,
               .model = spec.model,
               .work = seconds{spec.work_s},
               .is_waiting = spec.is_waiting,
               .is_guessed = spec.is_guessed});
    }
  }
  QueuePlace place(std::string_view principal, int work_s = 1) const {
    return place_of(traffic_, newcomer(principal, "m", work_s));
  }
  // Empty when it is let in.
  std::string refusal(std::string_view principal, std::string_view model = "m",
                      int work_s = 1) const {
    const auto error = ask(principal, model, work_s);
    return error ? error->message : "";
  }
  seconds retry_after(std::string_view principal, int work_s = 1) const {
    const auto error = ask(principal, "m", work_s);
    return error && error->retry_after ? *error->retry_after : seconds{0};
  }

  Used& used = traffic_.used;
  QueueLimits limits{.requests_max = 8, .work_max = seconds{100}};

 private:
  static Newcomer newcomer(std::string_view principal, std::string_view model, int work_s) {
    return {.principal = principal, .model = model, .due = TimePoint{} + seconds{2 * work_s}};
  }
  std::optional<Error> ask(std::string_view principal, std::string_view model, int work_s) const {
    const auto who = newcomer(principal, model, work_s);
    auto places = check_places(traffic_, who, limits, {});
    if (!places) return places.error();
    auto wait = check_wait(traffic_, who, limits);
    if (!wait) return wait.error();
    return std::nullopt;
  }

  std::uint64_t last_id_ = 0;
};

TEST(Admission, OnePrincipalMayFillTheWholeQueue) {
  Queue queue;
  queue.add({}, 7);
  EXPECT_EQ(queue.refusal("a"), "");
  queue.add({});
  EXPECT_THAT(queue.refusal("a"), HasSubstr("8 requests are waiting"));
}

TEST(Admission, WhatRunsTakesNoPlace) {
  Queue queue;
  queue.add({.is_waiting = false}, 30);
  EXPECT_EQ(queue.refusal("a"), "");
}

TEST(Admission, AFullQueueStillTakesWhoHasLessThanItsShare) {
  Queue queue;
  queue.add({.principal = "flood"}, 8);
  EXPECT_NE(queue.refusal("flood"), "");
  EXPECT_EQ(queue.refusal("polite"), "");
  queue.add({.principal = "polite"}, 4);  // half of 8
  EXPECT_NE(queue.refusal("polite"), "");
  EXPECT_EQ(queue.refusal("third"), "");
}

TEST(Admission, EndsAtTwiceThePlacesHoweverManyPrincipalsThereAre) {
  Queue queue;
  for (int i = 0; i < 16; ++i) queue.add({.principal = std::to_string(i)});
  EXPECT_NE(queue.refusal("another"), "");
}

TEST(Admission, EachModelHasItsOwnPlaces) {
  Queue queue;
  queue.add({.model = "other"}, 8);
  EXPECT_NE(queue.refusal("a", "other"), "");
  EXPECT_EQ(queue.refusal("a", "m"), "");
}

TEST(Admission, AKeyMayBeBoundOverAllModels) {
  Queue queue;
  queue.limits.requests_per_principal_max = 3;
  queue.add({.model = "m"}, 2);
  queue.add({.model = "other"});
  EXPECT_THAT(queue.refusal("a"), HasSubstr("3 requests of it are waiting"));
  EXPECT_EQ(queue.refusal("b"), "");
}

TEST(Admission, AnOwnPlaceIsBehindOnesOwnAndAsMuchOfTheOthers) {
  Queue queue;
  queue.add({.principal = "flood"}, 8);
  EXPECT_EQ(queue.place("flood").position, 8);
  EXPECT_EQ(queue.place("flood").expected_wait, seconds{8});
  EXPECT_EQ(queue.place("polite").position, 0);
  EXPECT_EQ(queue.place("polite").expected_wait, seconds{0});
  queue.add({.principal = "polite"}, 2);
  EXPECT_EQ(queue.place("polite").position, 4);
  EXPECT_EQ(queue.place("polite").expected_wait, seconds{4});
  EXPECT_EQ(queue.place("flood").expected_wait, seconds{10});
  queue.used = {{"flood", seconds{50}}, {"polite", seconds{49}}};
  EXPECT_EQ(queue.place("polite").expected_wait, seconds{3}) << "the flood has had one more";
}

TEST(Admission, ALongJobDoesNotCloseTheServerToShortOnes) {
  Queue queue;
  queue.add({.work_s = 579, .is_waiting = false});
  EXPECT_EQ(queue.refusal("a", "m", 579), "") << "nothing waits";
  queue.add({.work_s = 579});
  EXPECT_EQ(queue.refusal("a", "m", 1), "");
  EXPECT_EQ(queue.place("a", 1).expected_wait, seconds{0});
  EXPECT_THAT(queue.refusal("a", "m", 579), HasSubstr("1158 s of work"));
  EXPECT_EQ(queue.refusal("b", "m", 100), "") << "not his work";
}

TEST(Admission, GuessesRefuseNobody) {
  Queue queue;
  queue.add({.work_s = 250, .is_guessed = true}, 4);
  EXPECT_EQ(queue.refusal("a", "m", 250), "");
}

TEST(Admission, RetryAfterIsTheWaitOfTheRefused) {
  Queue queue;
  queue.add({.principal = "flood", .work_s = 9}, 8);
  EXPECT_EQ(queue.retry_after("flood", 9), seconds{72});
  queue.add({.principal = "b", .work_s = 9}, 4);
  EXPECT_EQ(queue.retry_after("b", 9), seconds{9 * (4 + 4)});
  Queue busy;
  busy.add({.work_s = 150}, 2);
  EXPECT_EQ(busy.retry_after("a", 150), seconds{200}) << "until 100 s are left of 300";
}

}  // namespace
}  // namespace limner::engine
