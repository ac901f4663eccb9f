#include "router/model_router.hpp"

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "support/engine_fixture.hpp"

namespace limner::router {
namespace {

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
    if (!found) return "error " + found.error().code;
    std::string text = found->model;
    for (const auto& lora : found->adapters) text += fmt::format("<{}:{}>", lora.name, lora.scale);
    return text;
  }
  RouterConfig config{.models = {{.name = "fake"}, {.name = "other"}}, .aliases = {}};

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
  for (const auto* name :
       {"gpt-image-2-2026-04-21", "gpt-image-3", "chatgpt-image-latest", "dall-e-4",
        "openai/gpt-image-1", "azure/gpt-image-2.6-flare", "openrouter/openai/dall-e-3",
        "litellm_proxy/openai/chatgpt-image-latest", "local/gpt-image-9"}) {
    EXPECT_EQ(resolved(name), "fake") << name;
  }
  for (const auto* name :
       {"gpt-4o", "my/gpt-image-1", "openai/", "openai/nobody", "/gpt-image-1"}) {
    EXPECT_EQ(resolved(name), "error model_not_found") << name;
  }
}

TEST_F(ModelRouterTest, LeavesThoseNamesToTheProvidersOnceThereAreAny) {
  config.has_providers = true;
  for (const auto* name :
       {"gpt-image-1", "openai/gpt-image-1", "local/gpt-image-1", "openai/fake"}) {
    EXPECT_EQ(resolved(name), "error model_not_found") << name;
  }
  EXPECT_EQ(resolved("local/fake"), "fake");
  EXPECT_THAT(router().models()[0].aliases, testing::IsEmpty());
}

TEST_F(ModelRouterTest, TakesTheNameOfALoraForItsModelWithIt) {
  config.models = {{.name = "fake", .adapters = {"ink", "other"}},
                   {.name = "other", .adapters = {"ink", "style/oil"}}};
  EXPECT_EQ(resolved("ink"), "fake<ink:1>");
  EXPECT_EQ(resolved("openai/ink"), "fake<ink:1>");
  EXPECT_EQ(resolved("style/oil"), "other<style/oil:1>");
  EXPECT_EQ(resolved("other"), "other");
  EXPECT_THAT(router().models()[0].aliases, Not(testing::Contains("ink")));
}

TEST_F(ModelRouterTest, FollowsAliasesThatStandForSeveralLoras) {
  config.models = {{.name = "fake", .adapters = {"ink", "oil"}}};
  config.aliases = {{"blend", {"fake", {{.name = "ink", .scale = 0.5}, {.name = "oil"}}}}};
  EXPECT_EQ(resolved("blend"), "fake<ink:0.5><oil:1>");
  config.aliases = {{"blend", {"fake", {{.name = "gone"}}}}};
  const auto refused = ModelRouter::validate(config);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("\"gone\""));
}

TEST_F(ModelRouterTest, FollowsConfiguredAliases) {
  config.aliases = {{"gpt-image-1", {"other"}}, {"art", {"other"}}};
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
  EXPECT_EQ(resolved("openai/fake"), "fake");
  EXPECT_EQ(resolved("openai/local/fake"), "fake");
  EXPECT_EQ(resolved("acme/fake"), "error model_not_found");
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
      ModelRouter::create({.models = {{.name = "a"}}, .aliases = {{"x", {"gone"}}}}, local);
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
  config.aliases = {{"art", {"other"}}};
  const auto models = router().models();
  ASSERT_EQ(models.size(), 2u);
  EXPECT_EQ(models[0].status->state, engine::ModelState::Ready);
  EXPECT_EQ(models[0].aliases.size(), builtin_aliases().size());
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

}  // namespace
}  // namespace limner::router
