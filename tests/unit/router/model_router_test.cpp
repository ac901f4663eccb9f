#include "router/model_router.hpp"

#include <gmock/gmock.h>

#include "support/engine_fixture.hpp"

namespace limner::router {
namespace {

using test::RecordingSink;
using test::request_for;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

class ModelRouterTest : public testing::Test, public test::EngineFixture {
 protected:
  ModelRouter& router() {
    if (!router_) {
      ready_engine();
      local_ = std::make_unique<LocalBackend>(engine(), pool());
      auto made = ModelRouter::create(config, *local_);
      EXPECT_TRUE(made) << made.error().message;
      router_ = std::move(*made);
    }
    return *router_;
  }
  std::string resolved(std::string_view name) {
    const auto found = router().resolve(name);
    return found ? *found : "error " + found.error().code;
  }
  std::shared_ptr<RecordingSink> generate(GenerationRequest request) {
    auto sink = std::make_shared<RecordingSink>();
    last = router().generate(std::move(request), sink, stop.get_token());
    return sink;
  }
  static std::string painter(const RecordingSink& sink) {
    const auto completed = sink.all<event::Completed>();
    return completed.empty() ? "nobody" : completed[0].effective.model;
  }

  RouterConfig config{.models = {{.name = "fake"}, {.name = "other"}}, .aliases = {}};
  std::stop_source stop;
  Result<Accepted> last = Error{};

 private:
  std::unique_ptr<LocalBackend> local_;
  std::unique_ptr<ModelRouter> router_;
};

TEST_F(ModelRouterTest, FindsServedModelsAndTheDefault) {
  EXPECT_EQ(resolved("other"), "other");
  EXPECT_EQ(resolved(""), "fake");
}

TEST_F(ModelRouterTest, LeadsTheNamesEveryClientSendsToTheDefault) {
  for (const auto alias : builtin_aliases()) EXPECT_EQ(resolved(alias), "fake");
}

TEST_F(ModelRouterTest, FollowsConfiguredAliases) {
  config.aliases = {{"gpt-image-1", "other"}, {"art", "other"}};
  EXPECT_EQ(resolved("gpt-image-1"), "other");
  EXPECT_EQ(resolved("art"), "other");
  EXPECT_EQ(resolved("dall-e-2"), "fake");
}

TEST_F(ModelRouterTest, PrefersAServedModelToAnAlias) {
  names = {"fake", "dall-e-2"};
  config.models = {{.name = "fake"}, {.name = "dall-e-2"}};
  EXPECT_EQ(resolved("dall-e-2"), "dall-e-2");
}

TEST_F(ModelRouterTest, SplitsOffOnlyAKnownProvider) {
  names = {"fake", "black-forest-labs/FLUX.1-schnell"};
  config.models = {{.name = "fake"}, {.name = "black-forest-labs/FLUX.1-schnell"}};
  EXPECT_EQ(resolved("local/fake"), "fake");
  EXPECT_EQ(resolved("local/gpt-image-1"), "fake");
  EXPECT_EQ(resolved("black-forest-labs/FLUX.1-schnell"), "black-forest-labs/FLUX.1-schnell");
  EXPECT_EQ(resolved("local/black-forest-labs/FLUX.1-schnell"), "black-forest-labs/FLUX.1-schnell");
  EXPECT_EQ(resolved("openai/fake"), "error model_not_found");
  EXPECT_EQ(resolved("local/"), "error model_not_found");
}

TEST_F(ModelRouterTest, SaysWhatIsServedInsteadOfAnUnknownModel) {
  const auto found = router().resolve("nobody");
  ASSERT_FALSE(found);
  EXPECT_EQ(found.error().kind, ErrorKind::NotFound);
  EXPECT_EQ(found.error().param, "model");
  EXPECT_EQ(found.error().message, "model: got \"nobody\", served here: fake, other");
}

TEST_F(ModelRouterTest, KeepsItsErrorShortHoweverLongTheNameAndTheList) {
  config.models.clear();
  for (int i = 0; i < 100; ++i) config.models.push_back({.name = "m" + std::to_string(i)});
  std::string name;
  for (int i = 0; i < 1'000; ++i) name += "é";
  const auto found = router().resolve(name);
  ASSERT_FALSE(found);
  EXPECT_LT(found.error().message.size(), 300u);
  EXPECT_THAT(found.error().message, HasSubstr("and 92 more"));
  EXPECT_THAT(found.error().message, HasSubstr("é…"));
}

TEST_F(ModelRouterTest, RefusesAConfigurationThatLeadsNowhere) {
  LocalBackend local(engine(), pool());
  EXPECT_FALSE(ModelRouter::create({}, local));
  EXPECT_FALSE(
      ModelRouter::create({.models = {{.name = "a"}, {.name = "a"}}, .aliases = {}}, local));
  const auto nowhere =
      ModelRouter::create({.models = {{.name = "a"}}, .aliases = {{"x", "gone"}}}, local);
  ASSERT_FALSE(nowhere);
  EXPECT_THAT(nowhere.error().message, HasSubstr("gone"));
}

TEST_F(ModelRouterTest, ReloadsAllOrNothing) {
  EXPECT_FALSE(router().reload({}));
  EXPECT_EQ(resolved("other"), "other");
  EXPECT_TRUE(router().reload({.models = {{.name = "new"}}, .aliases = {}}));
  EXPECT_EQ(resolved("dall-e-3"), "new");
  EXPECT_EQ(resolved("other"), "error model_not_found");
}

TEST_F(ModelRouterTest, ListsModelsWithAliasesAndState) {
  config.aliases = {{"art", "other"}};
  const auto models = router().models();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_TRUE(models[0].is_default);
  EXPECT_EQ(models[0].status->state, engine::ModelState::Ready);
  EXPECT_EQ(models[0].aliases.size(), 6u);
  EXPECT_THAT(models[1].aliases, ElementsAre("art"));
  EXPECT_EQ(models[1].status->state, engine::ModelState::Unloaded);
}

TEST_F(ModelRouterTest, KnowsTheTraitsOfAModelThatWasLoaded) {
  const auto traits = router().local().traits("fake");
  ASSERT_TRUE(traits);
  EXPECT_EQ((*traits)->name, "fake");
}

TEST_F(ModelRouterTest, LoadsAModelOfWhichNothingIsKnown) {
  const auto traits = router().local().traits("other");
  ASSERT_FALSE(traits);
  EXPECT_EQ(traits.error().code, "model_loading");
  EXPECT_TRUE(run_to_rest());
  EXPECT_TRUE(router().local().traits("other"));
}

// Fallbacks, through the real engine.

TEST_F(ModelRouterTest, PaintsOnTheModelAnAliasMeans) {
  auto request = request_for("r");
  request.model = "gpt-image-1";
  const auto sink = generate(request);
  run_to_rest();
  EXPECT_EQ(painter(*sink), "fake");
}

TEST_F(ModelRouterTest, TakesTheFallbackOfAnUnknownModel) {
  auto request = request_for("r");
  request.model = "nobody";
  request.fallbacks = {"neither", "local/other"};
  const auto sink = generate(request);
  EXPECT_TRUE(last);
  run_to_rest();
  EXPECT_EQ(painter(*sink), "other");
  EXPECT_EQ(*router().resolve_first("nobody", request.fallbacks), "other");
}

TEST_F(ModelRouterTest, TakesTheFallbackOfAModelThatCannotBeLoaded) {
  broken["other"] = {.message = "truncated"};
  auto request = request_for("r");
  request.model = "other";
  request.fallbacks = {"fake"};
  const auto sink = generate(request);
  run_to_rest();
  EXPECT_EQ(painter(*sink), "fake");
  EXPECT_EQ(sink->final_count(), 1u);
  EXPECT_THAT(sink->all<event::Completed>()[0].effective.notes,
              ElementsAre(HasSubstr("after \"other\" failed")));
}

TEST_F(ModelRouterTest, AnswersWithTheFirstErrorWhenAllFail) {
  broken["other"] = {.message = "truncated"};
  auto request = request_for("r", "[fail decode]");
  request.fallbacks = {"other", "nobody"};
  const auto sink = generate(request);
  run_to_rest();
  ASSERT_EQ(sink->final_count(), 1u);
  EXPECT_EQ(sink->failure()->message, "injected at decode");
}

TEST_F(ModelRouterTest, RefusesWithTheFirstErrorWhenNoneCanTakeIt) {
  auto request = request_for("r");
  request.model = "nobody";
  request.fallbacks = {"neither"};
  const auto sink = generate(request);
  ASSERT_FALSE(last);
  EXPECT_THAT(last.error().message, HasSubstr("got \"nobody\""));
  EXPECT_EQ(sink->final_count(), 0u);
}

TEST_F(ModelRouterTest, DoesNotTakeAWrongRequestElsewhere) {
  auto request = request_for("r");
  request.size = {63, 64};
  request.fallbacks = {"other"};
  generate(request);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().kind, ErrorKind::InvalidArgument);
}

TEST_F(ModelRouterTest, NeverFallsBackAfterAPreview) {
  auto request = request_for("r", "[fail decode]");
  request.partial_images = 1;
  request.fallbacks = {"other"};
  const auto sink = generate(request);
  run_to_rest();
  EXPECT_EQ(sink->count<event::Partial>(), 1u);
  EXPECT_EQ(sink->failure()->message, "injected at decode");
  EXPECT_EQ(router().models()[1].status->state, engine::ModelState::Unloaded);
}

TEST_F(ModelRouterTest, DoesNotFallBackForAClientThatLeft) {
  auto request = request_for("r");
  request.fallbacks = {"other"};
  const auto sink = generate(request);
  tick();
  stop.request_stop();
  run_to_rest();
  EXPECT_EQ(sink->failure()->kind, ErrorKind::Cancelled);
  EXPECT_EQ(sink->final_count(), 1u);
}

TEST_F(ModelRouterTest, RefusesMoreFallbacksThanItTries) {
  auto request = request_for("r");
  request.fallbacks.assign(kFallbacksMax + 1, "other");
  generate(request);
  ASSERT_FALSE(last);
  EXPECT_EQ(last.error().param, "fallbacks");
}

TEST_F(ModelRouterTest, AnswersOnceWhenTheEngineGoesWhileAFallbackWaits) {
  auto request = request_for("r", "[fail step 1]");
  request.fallbacks = {"other"};
  const auto sink = generate(request);
  tick(2);  // failed, and now waits for the other model
  EXPECT_EQ(sink->final_count(), 0u);
  destroy_engine();
  EXPECT_EQ(sink->final_count(), 1u);
  EXPECT_EQ(sink->failure()->message, "injected at step");
}

}  // namespace
}  // namespace limner::router
