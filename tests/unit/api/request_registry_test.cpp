#include "api/request_registry.hpp"

#include <gtest/gtest.h>

#include "support/manual_clock.hpp"

namespace limner::api {
namespace {

using namespace std::chrono_literals;

class RequestRegistryTest : public ::testing::Test {
 protected:
  Result<RequestRegistry::Ticket> open(std::string id, std::string owner, std::string job_id) {
    return registry_.open(
        {.id = std::move(id), .job_id = std::move(job_id), .owner = std::move(owner), .model = "m"},
        stop_);
  }
  static void complete(RequestRegistry::Ticket& ticket, std::string url) {
    ticket.update([&](RequestStatus& status) {
      status.state = RequestState::Completed;
      status.urls.push_back(std::move(url));
    });
  }
  std::string state_of(const std::string& id, const std::string& owner) const {
    const auto status = registry_.find(id, owner);
    return status ? std::string(to_string(status->state)) : "unknown";
  }

  test::ManualClock clock_;
  std::stop_source stop_;
  RequestRegistry registry_{{.finished_max = 2, .finished_ttl = 10s}, clock_};
};

TEST_F(RequestRegistryTest, TheSameIdOfAnotherOwnerIsAnotherJob) {
  auto first = open("trace-1", "a", "job_1");
  auto second = open("trace-1", "b", "job_2");
  ASSERT_TRUE(first);
  ASSERT_TRUE(second);
  complete(*first, "url of a");
  EXPECT_EQ(registry_.find("trace-1", "a")->urls, std::vector<std::string>{"url of a"});
  EXPECT_EQ(state_of("trace-1", "b"), "queued");
  complete(*second, "url of b");
  EXPECT_EQ(registry_.find("trace-1", "a")->urls, std::vector<std::string>{"url of a"});
  EXPECT_EQ(registry_.find("trace-1", "b")->urls, std::vector<std::string>{"url of b"});
}

TEST_F(RequestRegistryTest, NobodyElseFindsOrCancelsAJobByEitherOfItsIds) {
  auto mine = open("trace-1", "a", "job_1");
  for (const std::string id : {"trace-1", "job_1"}) {
    EXPECT_EQ(state_of(id, "b"), "unknown");
    EXPECT_EQ(state_of(id, ""), "unknown");
    EXPECT_FALSE(registry_.cancel(id, "b"));
    EXPECT_EQ(state_of(id, "a"), "queued");
  }
  EXPECT_FALSE(stop_.stop_requested());
  EXPECT_TRUE(registry_.cancel("job_1", "a"));
  EXPECT_TRUE(stop_.stop_requested());
}

TEST_F(RequestRegistryTest, AnIdThatIsAJobOfSomebodyElseLeadsToTheOwnersOwn) {
  auto theirs = open("x", "b", "job_b");
  auto mine = open("job_b", "a", "job_a");
  ASSERT_TRUE(mine);
  EXPECT_EQ(registry_.find("job_b", "a")->job_id, "job_a");
  EXPECT_EQ(registry_.find("job_b", "b")->job_id, "job_b");
}

TEST_F(RequestRegistryTest, ALiveDuplicateOfTheSameOwnerIsAConflict) {
  auto first = open("trace-1", "a", "job_1");
  const auto second = open("trace-1", "a", "job_2");
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().kind, ErrorKind::Conflict);
  EXPECT_EQ(second.error().code, "request_id_in_use");
  complete(*first, "url");
  const auto third = open("trace-1", "a", "job_3");
  EXPECT_TRUE(third);
  EXPECT_EQ(state_of("trace-1", "a"), "queued");
  EXPECT_EQ(state_of("job_1", "a"), "completed") << "the older one is still found by its own id";
}

// What a client sends again after its connection broke: the first is ending.
TEST_F(RequestRegistryTest, AJobThatWasAskedToStopGivesItsIdFree) {
  auto first = open("trace-1", "a", "job_1");
  stop_.request_stop();
  stop_ = {};
  auto second = open("trace-1", "a", "job_2");
  ASSERT_TRUE(second);
  complete(*first, "late");
  EXPECT_EQ(state_of("trace-1", "a"), "queued");
}

TEST_F(RequestRegistryTest, AnEntryDoesNotOutliveItsJob) {
  { auto ticket = open("trace-1", "a", "job_1"); }
  EXPECT_EQ(state_of("trace-1", "a"), "failed");
  EXPECT_TRUE(registry_.find("trace-1", "a")->error);
  auto again = open("trace-1", "a", "job_2");
  EXPECT_TRUE(again);
}

TEST_F(RequestRegistryTest, AJobThatWasRefusedIsNeverFound) {
  auto ticket = open("trace-1", "a", "job_1");
  ticket->forget();
  EXPECT_EQ(state_of("trace-1", "a"), "unknown");
  EXPECT_EQ(state_of("job_1", "a"), "unknown");
}

TEST_F(RequestRegistryTest, WhatEndedStaysAsItEnded) {
  auto ticket = open("trace-1", "a", "job_1");
  complete(*ticket, "url");
  ticket->update([](RequestStatus& status) { status.state = RequestState::Failed; });
  EXPECT_EQ(state_of("trace-1", "a"), "completed");
  EXPECT_TRUE(registry_.cancel("trace-1", "a"));
  EXPECT_EQ(state_of("trace-1", "a"), "completed");
}

TEST_F(RequestRegistryTest, ForgetsTheOldestThatEndedAndThoseOfLongAgo) {
  auto running = open("running", "a", "job_0");
  for (const std::string id : {"1", "2", "3"}) {
    auto ticket = open(id, "a", "job_" + id);
    complete(*ticket, "url");
  }
  auto fourth = open("4", "a", "job_4");
  EXPECT_EQ(state_of("1", "a"), "unknown");
  EXPECT_EQ(state_of("2", "a"), "completed");
  EXPECT_EQ(state_of("3", "a"), "completed");
  clock_.advance(11s);
  auto fifth = open("5", "a", "job_5");
  EXPECT_EQ(state_of("3", "a"), "unknown");
  EXPECT_EQ(state_of("running", "a"), "queued");
}

}  // namespace
}  // namespace limner::api
