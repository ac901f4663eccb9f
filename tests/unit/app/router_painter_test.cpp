// From the names that a client sends to who paints, through the real router and engine.
#include "app/router_painter.hpp"

#include <gmock/gmock.h>

#include "support/engine_fixture.hpp"

namespace limner::app {
namespace {

using test::RecordingSink;
using test::request_for;
using testing::ElementsAre;
using testing::HasSubstr;

class RouterPainterTest : public testing::Test, public test::EngineFixture {
 protected:
  RouterPainterTest() {
    ready_engine();
    local_ = std::make_unique<router::LocalBackend>(engine(), pool());
    auto made = router::ModelRouter::create(
        {.models = {{.name = "fake"}, {.name = "other"}}, .aliases = {}}, *local_);
    EXPECT_TRUE(made) << made.error().message;
    router_ = *std::move(made);
    painter_ = std::make_unique<RouterPainter>(
        *router_, std::vector<config::ModelConfig>{
                      {.name = "fake", .path = {}, .policy = {.max_steps = 7}},
                      {.name = "other", .path = {}, .policy = {}},
                  });
  }

  // The first of `names` that can shall paint `request`.
  std::shared_ptr<RecordingSink> paint(std::vector<std::string> names, GenerationRequest request) {
    std::vector<api::Candidate> candidates;
    for (auto& name : names) {
      const auto model = painter_->look_up(name);
      if (model) request.model = model->name;
      candidates.push_back({name, model ? Result<GenerationRequest>(request)
                                        : Result<GenerationRequest>(model.error())});
    }
    auto sink = std::make_shared<RecordingSink>();
    last_ = painter_->paint(std::move(candidates), sink, stop_.get_token());
    return sink;
  }
  static std::string painter_of(const RecordingSink& sink) {
    const auto completed = sink.all<event::Completed>();
    return completed.empty() ? "nobody" : completed[0].effective.model;
  }

  std::stop_source stop_;
  Result<api::Accepted> last_ = Error{};
  std::unique_ptr<router::LocalBackend> local_;
  std::unique_ptr<router::ModelRouter> router_;
  std::unique_ptr<RouterPainter> painter_;
};

TEST_F(RouterPainterTest, DescribesAModelWithWhatItsAdministratorAllows) {
  const auto model = painter_->look_up("gpt-image-1");
  ASSERT_TRUE(model);
  EXPECT_EQ(model->name, "fake");
  EXPECT_EQ(model->policy.max_steps, 7);
  EXPECT_TRUE(model->is_ready);
}

TEST_F(RouterPainterTest, PaintsOnTheModelAnAliasMeans) {
  const auto sink = paint({"gpt-image-1"}, request_for("r"));
  run_to_rest();
  EXPECT_EQ(painter_of(*sink), "fake");
}

TEST_F(RouterPainterTest, TakesTheFallbackOfAnUnknownModel) {
  const auto sink = paint({"nobody", "neither", "local/other"}, request_for("r"));
  EXPECT_TRUE(last_);
  run_to_rest();
  EXPECT_EQ(painter_of(*sink), "other");
}

TEST_F(RouterPainterTest, TakesTheFallbackOfAModelThatCannotBeLoaded) {
  broken["other"] = {.message = "truncated"};
  const auto sink = paint({"other", "fake"}, request_for("r"));
  run_to_rest();
  EXPECT_EQ(painter_of(*sink), "fake");
  EXPECT_EQ(sink->final_count(), 1u);
  EXPECT_THAT(sink->all<event::Completed>()[0].effective.notes,
              ElementsAre(HasSubstr("after \"other\" failed")));
}

TEST_F(RouterPainterTest, AnswersWithTheFirstErrorWhenAllFail) {
  broken["other"] = {.message = "truncated"};
  const auto sink = paint({"fake", "other", "nobody"}, request_for("r", "[fail decode]"));
  run_to_rest();
  ASSERT_EQ(sink->final_count(), 1u);
  EXPECT_EQ(sink->failure()->message, "injected at decode");
}

TEST_F(RouterPainterTest, RefusesWithTheFirstErrorWhenNoneCanTakeIt) {
  const auto sink = paint({"nobody", "neither"}, request_for("r"));
  ASSERT_FALSE(last_);
  EXPECT_THAT(last_.error().message, HasSubstr("got \"nobody\""));
  EXPECT_EQ(sink->final_count(), 0u);
}

TEST_F(RouterPainterTest, DoesNotTakeAWrongRequestElsewhere) {
  auto request = request_for("r");
  request.size = {63, 64};
  paint({"fake", "other"}, request);
  ASSERT_FALSE(last_);
  EXPECT_EQ(last_.error().kind, ErrorKind::InvalidArgument);
}

TEST_F(RouterPainterTest, NeverFallsBackAfterAPreview) {
  auto request = request_for("r", "[fail decode]");
  request.partial_images = 1;
  const auto sink = paint({"fake", "other"}, request);
  run_to_rest();
  EXPECT_EQ(sink->count<event::Partial>(), 1u);
  EXPECT_EQ(sink->failure()->message, "injected at decode");
  EXPECT_EQ(router_->models()[1].status->state, engine::ModelState::Unloaded);
}

TEST_F(RouterPainterTest, DoesNotFallBackForAClientThatLeft) {
  const auto sink = paint({"fake", "other"}, request_for("r"));
  tick();
  stop_.request_stop();
  run_to_rest();
  EXPECT_EQ(sink->failure()->kind, ErrorKind::Cancelled);
  EXPECT_EQ(sink->final_count(), 1u);
}

TEST_F(RouterPainterTest, AnswersOnceWhenTheEngineGoesWhileAFallbackWaits) {
  const auto sink = paint({"fake", "other"}, request_for("r", "[fail step 1]"));
  tick(2);  // failed, and now waits for the other model
  EXPECT_EQ(sink->final_count(), 0u);
  destroy_engine();
  EXPECT_EQ(sink->final_count(), 1u);
  EXPECT_EQ(sink->failure()->message, "injected at step");
}

}  // namespace
}  // namespace limner::app
