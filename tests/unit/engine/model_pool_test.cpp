#include "engine/model_pool.hpp"

#include <gmock/gmock.h>

#include "support/engine_fixture.hpp"

namespace limner::engine {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

class ModelPoolTest : public testing::Test, public test::EngineFixture {
 protected:
  ModelPoolTest() { names = {"a", "b", "c"}; }

  // As the lane does while requests for these models wait.
  void want(std::vector<ModelVariant> wanted) { pool().update(wanted); }
  void load(const std::string& name) {
    want({name});
    ASSERT_TRUE(pool().run_one_load());
    ASSERT_EQ(state(name), ModelState::Ready);
    want({});
  }
  ModelState state(const std::string& name) { return pool().status(name)->state; }
  ModelStatus status(const std::string& name) { return *pool().status(name); }
};

TEST_F(ModelPoolTest, LoadsWhatIsWanted) {
  EXPECT_EQ(state("a"), ModelState::Unloaded);
  EXPECT_EQ(pool().peek("a"), nullptr);
  want({"a"});
  EXPECT_EQ(state("a"), ModelState::Loading);
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a"), ModelState::Ready);
  EXPECT_EQ(pool().peek("a")->traits().name, "a");
  EXPECT_EQ(status("a").traits->name, "a");
  EXPECT_FALSE(pool().run_one_load());
}

TEST_F(ModelPoolTest, PreloadsWithoutAnyRequest) {
  ASSERT_TRUE(pool().preload("b"));
  want({});
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("b"), ModelState::Ready);
}

TEST_F(ModelPoolTest, RefusesToPreloadAModelNobodyServes) {
  const auto result = pool().preload("nobody");
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().kind, ErrorKind::NotFound);
}

TEST_F(ModelPoolTest, ForgetsALoadThatNobodyWaitsForAnyMore) {
  want({"a"});
  want({});
  EXPECT_EQ(state("a"), ModelState::Unloaded);
  EXPECT_FALSE(pool().run_one_load());
}

TEST_F(ModelPoolTest, LoadsInTheOrderOfAsking) {
  want({"b"});
  clock.advance(seconds{1});
  want({"b", "a"});
  pool().run_one_load();
  EXPECT_EQ(state("b"), ModelState::Ready);
  EXPECT_EQ(state("a"), ModelState::Loading);
}

TEST_F(ModelPoolTest, SaysWhatALoadIsDoingAndHowLongItMayTake) {
  want({"a"});
  clock.advance(seconds{1});
  const auto loading = status("a").loading;
  ASSERT_TRUE(loading);
  EXPECT_EQ(loading->model, "a");
  EXPECT_EQ(loading->elapsed, seconds{1});
  EXPECT_GT(loading->expected, loading->elapsed);
}

TEST_F(ModelPoolTest, ExpectsAReloadToTakeAsLongAsTheLastLoad) {
  load("a");
  pool_options.idle_max = seconds{60};
  pool().set_names({"b"});
  pool().set_names({"a", "b"});
  want({"a"});
  EXPECT_EQ(status("a").loading->expected, seconds{3});
}

TEST_F(ModelPoolTest, BacksOffAfterAFailureAndTriesAgain) {
  broken["a"] = {.message = "truncated"};
  want({"a"});
  pool().run_one_load();
  EXPECT_EQ(state("a"), ModelState::Failed);
  EXPECT_EQ(status("a").error->kind, ErrorKind::Unavailable);
  EXPECT_EQ(status("a").error->retry_after, seconds{5});
  want({"a"});
  EXPECT_FALSE(pool().run_one_load());

  clock.advance(seconds{5});
  want({"a"});
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(status("a").error->retry_after, seconds{10});

  broken.clear();
  clock.advance(seconds{10});
  want({"a"});
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a"), ModelState::Ready);
}

TEST_F(ModelPoolTest, UnloadsWhatIsIdle) {
  pool_options.idle_max = seconds{60};
  load("a");
  clock.advance(seconds{59});
  want({});
  EXPECT_EQ(state("a"), ModelState::Ready);
  clock.advance(seconds{1});
  want({});
  EXPECT_EQ(state("a"), ModelState::Unloaded);
}

TEST_F(ModelPoolTest, KeepsALeasedModelHoweverIdle) {
  pool_options.idle_max = seconds{60};
  load("a");
  {
    const auto lease = pool().lease("a");
    ASSERT_TRUE(lease);
    EXPECT_EQ(status("a").user_count, 1);
    clock.advance(seconds{600});
    want({});
    EXPECT_EQ(state("a"), ModelState::Ready);
  }
  EXPECT_EQ(status("a").user_count, 0);
}

TEST_F(ModelPoolTest, EvictsTheLeastRecentlyUsed) {
  pool_options.memory_bytes_max = 250;
  load("a");
  clock.advance(seconds{1});
  load("b");
  clock.advance(seconds{1});
  { const auto lease = pool().lease("a"); }
  load("c");
  EXPECT_EQ(state("a"), ModelState::Ready);
  EXPECT_EQ(state("b"), ModelState::Unloaded);
}

TEST_F(ModelPoolTest, WaitsForAnIoThreadBeforeItCountsMemoryAsFree) {
  pool_options.memory_bytes_max = 150;
  load("a");
  auto checking = pool().peek("a");
  want({"b"});
  EXPECT_FALSE(pool().run_one_load());
  EXPECT_EQ(status("b").loading->stage, "waiting for memory");
  checking.reset();
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("b"), ModelState::Ready);
}

TEST_F(ModelPoolTest, RefusesAModelLargerThanTheLimitAndNamesBothSizes) {
  pool_options.memory_bytes_max = std::size_t{3} << 30;
  sizes_bytes["a"] = std::size_t{7} << 30;
  want({"a"});
  EXPECT_FALSE(pool().run_one_load());
  EXPECT_EQ(state("a"), ModelState::Failed);
  EXPECT_EQ(status("a").error->code, "insufficient_memory");
  EXPECT_THAT(status("a").error->message, HasSubstr("7.00 GiB"));
  EXPECT_THAT(status("a").error->message, HasSubstr("3.00 GiB"));
  EXPECT_FALSE(status("a").error->retry_after);
}

TEST_F(ModelPoolTest, TellsWhyAModelCannotBeLoadedWhereThatNamesNoPath) {
  broken["a"] = {.kind = ErrorKind::Internal,
                 .message = "unet: the tensor conv_out.bias holds numbers that are not finite",
                 .code = "non_finite_numbers"};
  broken["b"] = {.kind = ErrorKind::Unavailable,
                 .message = "unet: out of memory",
                 .code = "insufficient_memory"};
  want({"a", "b"});
  while (pool().run_one_load()) {
  }
  EXPECT_EQ(status("a").error->kind, ErrorKind::Unavailable);
  EXPECT_EQ(status("a").error->code, "model_load_failed");
  EXPECT_THAT(status("a").error->message, HasSubstr("the tensor conv_out.bias"));
  EXPECT_EQ(status("b").error->kind, ErrorKind::Unavailable);
  EXPECT_EQ(status("b").error->code, "insufficient_memory");
  EXPECT_THAT(status("b").error->message, HasSubstr("out of memory"));
  EXPECT_TRUE(status("b").error->retry_after);
}

TEST_F(ModelPoolTest, SmallSizesAreToldInSmallUnits) {
  pool_options.memory_bytes_max = std::size_t{1} << 20;
  sizes_bytes["a"] = std::size_t{3} << 20;
  want({"a"});
  EXPECT_THAT(status("a").error->message, HasSubstr("about 3.0 MiB of memory, 1.0 MiB are"));
}

TEST_F(ModelPoolTest, LetsABusyModelFinishBeforeItMakesRoom) {
  pool_options.memory_bytes_max = 150;
  load("a");
  auto lease = pool().lease("a");
  want({"b"});
  EXPECT_FALSE(pool().run_one_load());
  EXPECT_TRUE(status("a").takes_requests);

  clock.advance(seconds{30});
  want({"a", "b"});
  EXPECT_FALSE(pool().run_one_load());
  EXPECT_FALSE(status("a").takes_requests);
  EXPECT_FALSE(pool().lease("a"));

  lease.reset();
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("b"), ModelState::Ready);
}

TEST_F(ModelPoolTest, TakesRequestsAgainWhenTheNewcomerGaveUp) {
  pool_options.memory_bytes_max = 150;
  load("a");
  const auto lease = pool().lease("a");
  want({"b"});
  clock.advance(seconds{30});
  want({"b"});
  pool().run_one_load();
  ASSERT_FALSE(status("a").takes_requests);
  want({});
  EXPECT_TRUE(status("a").takes_requests);
}

TEST_F(ModelPoolTest, FollowsTheServedList) {
  load("a");
  const auto lease = pool().lease("a");
  pool().set_names({"b", "d"});
  EXPECT_FALSE(pool().status("a"));
  EXPECT_FALSE(pool().lease("a"));
  EXPECT_EQ(lease->pipeline().traits().name, "a");
  load("d");
  std::vector<std::string> served;
  for (const auto& model : pool().models()) served.push_back(model.name);
  EXPECT_THAT(served, testing::ElementsAre("b", "d"));
}

TEST_F(ModelPoolTest, KnowsTraitsBeforeTheFirstLoad) {
  unopenable.emplace();
  EXPECT_EQ(status("a").traits->name, "a");
  EXPECT_NE(pool().peek("a"), nullptr);
  EXPECT_EQ(state("a"), ModelState::Unloaded);
}

TEST_F(ModelPoolTest, AModelThatCannotBeOpenedHasFailedAndIsTriedAgain) {
  unopenable = {{"a", {.message = "no config"}}};
  EXPECT_EQ(state("a"), ModelState::Failed);
  EXPECT_EQ(state("b"), ModelState::Unloaded);
  unopenable->clear();
  clock.advance(seconds{5});
  want({"a"});
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a"), ModelState::Ready);
  EXPECT_NE(pool().peek("a"), nullptr);
}

TEST_F(ModelPoolTest, AChangedModelFinishesWhatItPaintsAndComesAnew) {
  load("a");
  auto lease = pool().lease("a");
  pool().set_names({"a", "b", "c"}, {"a"});
  EXPECT_EQ(state("a"), ModelState::Ready);
  EXPECT_FALSE(pool().lease("a"));
  want({});  // another model's loading is no reason to take requests again
  EXPECT_FALSE(pool().lease("a"));
  lease.reset();
  EXPECT_EQ(state("a"), ModelState::Unloaded);
  load("a");
  EXPECT_TRUE(pool().lease("a"));
}

TEST_F(ModelPoolTest, WhatWasLoadedForTheOldListIsThrownAway) {
  ASSERT_TRUE(pool().preload("a"));
  on_load = [this] { pool().set_names({"a", "b", "c"}, {"a"}); };
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a"), ModelState::Loading) << "who asked for it still wants it";
  on_load = {};
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a"), ModelState::Ready);
}

TEST_F(ModelPoolTest, ForgetsWhatIsNotServedAnyMore) {
  load("a");
  { const auto lease = pool().lease("a"); }
  pool().set_names({"b"});
  want({});
  pool().run_one_load();
  EXPECT_FALSE(pool().status("a"));
  pool().set_names({"a", "b"});
  EXPECT_EQ(state("a"), ModelState::Unloaded);
}

// With LoRAs.

ModelVariant with_ink(double scale) {
  return {"a", {{.name = "ink", .scale = scale}}};
}

TEST_F(ModelPoolTest, AModelWithLorasIsLoadedBesideThePlainOne) {
  load("a");
  want({with_ink(0.8)});
  EXPECT_EQ(state("a <ink:0.8>"), ModelState::Loading);
  EXPECT_EQ(status("a <ink:0.8>").loading->model, "a");
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a <ink:0.8>"), ModelState::Ready);
  EXPECT_EQ(state("a"), ModelState::Ready);
  EXPECT_EQ(pool().models().size(), 3u) << "what is served is a, b and c";
}

TEST_F(ModelPoolTest, OnlySomeSetsOfLorasAreKept) {
  pool_options.variants_max = 2;
  load("a");
  for (const double scale : {0.1, 0.2, 0.1, 0.3}) {
    clock.advance(seconds{1});
    want({with_ink(scale)});
    pool().run_one_load();
  }
  want({});
  EXPECT_EQ(state("a <ink:0.1>"), ModelState::Ready);
  EXPECT_FALSE(pool().status("a <ink:0.2>")) << "least recently used, and forgotten";
  EXPECT_EQ(state("a <ink:0.3>"), ModelState::Ready);
  EXPECT_EQ(state("a"), ModelState::Ready);
}

TEST_F(ModelPoolTest, ASetInUseIsNotPushedOutBeforeItHasFinished) {
  pool_options.variants_max = 1;
  want({with_ink(0.1)});
  pool().run_one_load();
  auto lease = pool().lease("a <ink:0.1>");
  want({with_ink(0.2)});
  EXPECT_FALSE(pool().run_one_load());
  EXPECT_EQ(status("a <ink:0.2>").loading->stage, "waiting for other LoRAs to finish");
  clock.advance(seconds{30});
  EXPECT_FALSE(pool().run_one_load());
  EXPECT_FALSE(pool().lease("a <ink:0.1>")) << "its time is over once the newcomer has waited";
  lease.reset();
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a <ink:0.2>"), ModelState::Ready);
}

TEST_F(ModelPoolTest, SetsOfLorasCountForTheMemoryLimit) {
  pool_options.memory_bytes_max = 250;
  load("a");
  clock.advance(seconds{1});
  load("b");
  want({with_ink(1)});
  EXPECT_TRUE(pool().run_one_load());
  EXPECT_EQ(state("a"), ModelState::Unloaded) << "least recently used";
  EXPECT_EQ(state("b"), ModelState::Ready);
}

TEST_F(ModelPoolTest, AChangedModelTakesItsSetsOfLorasWithIt) {
  want({with_ink(1)});
  pool().run_one_load();
  want({});
  pool().set_names({"a", "b", "c"}, {"a"});
  EXPECT_EQ(state("a <ink:1>"), ModelState::Unloaded);
  pool().set_names({"b"});
  EXPECT_FALSE(pool().status("a <ink:1>"));
}

TEST_F(ModelPoolTest, TellsWhenAModelChanges) {
  int changes = 0;
  pool().set_on_change([&] { ++changes; });
  load("a");
  EXPECT_EQ(changes, 1);
}

}  // namespace
}  // namespace limner::engine
