#include "engine/engine.hpp"

#include <new>
#include <set>

#include <gmock/gmock.h>

#include "support/engine_fixture.hpp"

namespace limner::engine {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using test::Client;
using test::FakePipeline;
using test::request_for;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

class EngineTest : public testing::Test, public test::EngineFixture {};

TEST_F(EngineTest, PaintsARequestToTheEnd) {
  ready_engine();
  auto request = request_for("r", "a fox");
  request.sampling.seed = 7;
  request.image_count = 2;
  const Client client = submit(request);
  ASSERT_TRUE(client.ticket);
  EXPECT_TRUE(run_to_rest());

  const auto completed = client.sink->all<event::Completed>();
  ASSERT_EQ(completed.size(), 1u);
  ASSERT_EQ(completed[0].images.size(), 2u);
  EXPECT_EQ(completed[0].images[1].index, 1);
  EXPECT_EQ(completed[0].images[1].seed, 8u);
  EXPECT_EQ(completed[0].images[1].image.pixels, FakePipeline::painted(request, 1, 8).pixels);
  EXPECT_EQ(completed[0].effective.model, "fake");
  EXPECT_EQ(client.sink->final_count(), 1u);
}

TEST_F(EngineTest, FillsInWhereTheTimeWent) {
  fake.on_prepare = [this] { clock.advance(milliseconds{5}); };
  fake.on_decode = [this](auto) { clock.advance(milliseconds{20}); };
  ready_engine();
  const Client client = submit(request_for("r"));
  clock.advance(milliseconds{100});
  run_to_rest();
  const auto& timings = client.sink->all<event::Completed>().at(0).timings;
  EXPECT_EQ(timings.queued, milliseconds{100});
  EXPECT_EQ(timings.prepare, milliseconds{5});
  EXPECT_EQ(timings.denoise, milliseconds{80});
  EXPECT_EQ(timings.decode, milliseconds{20});
}

TEST_F(EngineTest, StepsRequestsOfOneShapeTogether) {
  ready_engine();
  submit(request_for("a"));
  submit(request_for("b"));
  tick();
  EXPECT_THAT(record->calls.at(0).request_ids, ElementsAre("a", "b"));
}

TEST_F(EngineTest, LetsANewcomerJoinARunningBatch) {
  ready_engine();
  submit(request_for("a"));
  tick(3);
  submit(request_for("b"));
  tick();
  EXPECT_THAT(record->calls.back().request_ids, testing::UnorderedElementsAre("a", "b"));
}

TEST_F(EngineTest, AlternatesBetweenSizes) {
  ready_engine();
  auto large = request_for("large");
  large.size = {128, 64};
  submit(request_for("small"));
  submit(large);
  tick(4);
  std::vector<std::string> order;
  for (const auto& call : record->calls) order.push_back(call.request_ids.at(0));
  EXPECT_THAT(order, testing::UnorderedElementsAre("small", "small", "large", "large"));
}

TEST_F(EngineTest, SendsProgressOnlyToThoseWhoAsk) {
  ready_engine();
  auto curious = request_for("a");
  curious.wants_progress = true;
  const Client a = submit(curious);
  const Client b = submit(request_for("b"));
  run_to_rest();
  const auto progress = a.sink->all<event::Progress>();
  ASSERT_EQ(progress.size(), 8u);
  EXPECT_EQ(progress[0].step, 1);
  EXPECT_EQ(progress[7].step, 8);
  EXPECT_EQ(progress[7].step_count, 8);
  EXPECT_GE(a.sink->count<event::Queued>(), 1u);
  EXPECT_EQ(b.sink->count<event::Progress>() + b.sink->count<event::Queued>(), 0u);
}

TEST_F(EngineTest, SendsPreviewsAtTheirSteps) {
  ready_engine();
  auto request = request_for("r");
  request.partial_images = 3;
  request.image_count = 2;
  const Client client = submit(request);
  run_to_rest();
  const auto partials = client.sink->all<event::Partial>();
  ASSERT_EQ(partials.size(), 6u);
  EXPECT_EQ(partials[1].image_index, 1);
  EXPECT_EQ(partials[1].partial_index, 0);
  EXPECT_EQ(partials[2].partial_index, 1);
  EXPECT_EQ(partials[2].image.pixels, FakePipeline::painted(request, 0, 4).pixels);
  EXPECT_TRUE(client.sink->ends_with_final());
}

TEST_F(EngineTest, PaintsOnWhenAPreviewFails) {
  ready_engine();
  auto request = request_for("r", std::string(test::kFailPreview));
  request.partial_images = 2;
  const Client client = submit(request);
  run_to_rest();
  EXPECT_EQ(client.sink->count<event::Partial>(), 0u);
  EXPECT_TRUE(client.sink->has_completed());
}

TEST_F(EngineTest, DecodesARequestThatHasNoStepsLeft) {
  ready_engine();
  auto request = request_for("r");
  request.sampling.num_inference_steps = 0;
  const Client client = submit(request);
  run_to_rest();
  EXPECT_TRUE(client.sink->has_completed());
  EXPECT_THAT(record->calls, IsEmpty());
}

// Cancellation.

TEST_F(EngineTest, DropsARunningRequestWithinOneStepOfItsClientLeaving) {
  ready_engine();
  Client client = submit(request_for("r"));
  tick(2);
  client.leave.request_stop();
  tick();
  EXPECT_EQ(record->calls.size(), 2u);
  ASSERT_TRUE(client.sink->failure());
  EXPECT_EQ(client.sink->failure()->kind, ErrorKind::Cancelled);
  EXPECT_EQ(engine().depth().running, 0u);
}

TEST_F(EngineTest, DropsARequestWhoseClientLeavesDuringItsStep) {
  Client client;
  fake.on_step = [&](int) { client.leave.request_stop(); };
  ready_engine();
  client = submit(request_for("r"));
  tick();
  EXPECT_EQ(record->calls.size(), 1u);
  EXPECT_EQ(client.sink->failure()->kind, ErrorKind::Cancelled);
}

TEST_F(EngineTest, DoesNotDecodeForAClientThatLeftDuringTheLastStep) {
  Client client;
  fake.step_count = 1;
  fake.on_step = [&](int) { client.leave.request_stop(); };
  ready_engine();
  client = submit(request_for("r"));
  run_to_rest();
  EXPECT_THAT(record->decoded, IsEmpty());
}

TEST_F(EngineTest, DropsAWaitingRequestWhoseClientLeft) {
  ready_engine();
  Client client = submit(request_for("r"));
  client.leave.request_stop();
  tick();
  EXPECT_THAT(record->prepared, IsEmpty());
  EXPECT_EQ(client.sink->final_count(), 1u);
}

TEST_F(EngineTest, CancelsByTicketAndOnlyOnce) {
  ready_engine();
  const Client client = submit(request_for("r"));
  tick();
  EXPECT_TRUE(engine().cancel(client.ticket->id));
  tick();
  EXPECT_EQ(client.sink->failure()->kind, ErrorKind::Cancelled);
  EXPECT_FALSE(engine().cancel(client.ticket->id));
}

TEST_F(EngineTest, KeepsTheOthersOfABatchWhenOneLeaves) {
  ready_engine();
  Client a = submit(request_for("a"));
  const Client b = submit(request_for("b"));
  tick(2);
  a.leave.request_stop();
  run_to_rest();
  EXPECT_TRUE(b.sink->has_completed());
}

// Failures.

class EngineFailureTest : public EngineTest, public testing::WithParamInterface<std::string> {};

TEST_P(EngineFailureTest, EndsOnlyItsOwnRequest) {
  ready_engine();
  const Client bad = submit(request_for("bad", GetParam()));
  const Client good = submit(request_for("good"));
  EXPECT_TRUE(run_to_rest());
  ASSERT_TRUE(bad.sink->failure());
  EXPECT_EQ(bad.sink->failure()->kind, ErrorKind::Internal);
  EXPECT_EQ(bad.sink->final_count(), 1u);
  EXPECT_TRUE(good.sink->has_completed());
}

INSTANTIATE_TEST_SUITE_P(Everywhere, EngineFailureTest,
                         testing::Values("[fail prepare]", "[throw prepare]", "[fail step 1]",
                                         "[fail step 8]", "[poison step 3]", "[throw step 2]",
                                         "[fail decode]", "[stuck]"));

TEST_F(EngineTest, TriesEachAloneWhenACallFailsForAll) {
  ready_engine();
  submit(request_for("bad", "[poison step 2]"));
  submit(request_for("good"));
  tick(2);
  ASSERT_EQ(record->calls.size(), 4u);
  EXPECT_THAT(record->calls[1].request_ids, ElementsAre("bad", "good"));
  EXPECT_THAT(record->calls[2].request_ids, ElementsAre("bad"));
  EXPECT_THAT(record->calls[3].request_ids, ElementsAre("good"));
}

TEST_F(EngineTest, KeepsExceptionTextFromClients) {
  ready_engine();
  const Client client = submit(request_for("r", "[throw step 1]"));
  run_to_rest();
  EXPECT_THAT(client.sink->failure()->message, testing::Not(HasSubstr("injected")));
  EXPECT_THAT(client.sink->failure()->detail, HasSubstr("injected"));
}

// Admission.

TEST_F(EngineTest, RefusesAnInvalidRequestAtTheDoor) {
  ready_engine();
  auto request = request_for("r");
  request.size = {63, 64};
  const Client client = submit(request);
  ASSERT_FALSE(client.ticket);
  EXPECT_EQ(client.ticket.error().kind, ErrorKind::InvalidArgument);
  EXPECT_EQ(client.sink->final_count(), 0u);
}

TEST_F(EngineTest, RefusesWhatTheQueueCannotHold) {
  engine_options.queue.requests_max = 3;
  ready_engine();
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(submit(request_for("r")).ticket);
  const Client client = submit(request_for("late"));
  ASSERT_FALSE(client.ticket);
  EXPECT_EQ(client.ticket.error().kind, ErrorKind::RateLimited);
  EXPECT_THAT(client.ticket.error().message, HasSubstr("3 requests are waiting"));
  EXPECT_TRUE(client.ticket.error().retry_after);
  EXPECT_EQ(client.sink->final_count(), 0u);

  tick();
  EXPECT_TRUE(submit(request_for("later")).ticket);
}

TEST_F(EngineTest, RefusesMoreWorkThanItPromisesToFinish) {
  fake.on_step = [this](int) { clock.advance(seconds{10}); };
  engine_options.queue.work_max = seconds{100};
  ready_engine();
  submit(request_for("measured"));
  run_to_rest();
  EXPECT_TRUE(submit(request_for("a")).ticket);  // 80 s
  EXPECT_TRUE(submit(request_for("b")).ticket);
  const Client c = submit(request_for("c"));
  ASSERT_FALSE(c.ticket);
  EXPECT_EQ(c.ticket.error().kind, ErrorKind::RateLimited);
  EXPECT_THAT(c.ticket.error().message, HasSubstr("160 s of work"));
  EXPECT_EQ(c.ticket.error().retry_after, seconds{60});
}

TEST_F(EngineTest, UnmeasuredGuessesRefuseNobody) {
  ready_engine();
  for (int i = 0; i < 5; ++i) {
    auto request = request_for("r");
    request.sampling.num_inference_steps = 1000;
    request.image_count = 4;
    request.size = {512, 512};
    EXPECT_TRUE(submit(request).ticket) << i;
  }
}

TEST_F(EngineTest, AFloodOfOneKeyLeavesTheOthersTheirTurns) {
  engine_options.queue.requests_max = 10;
  fake.rows_max = 1;
  ready_engine();
  const auto of = [](const std::string& principal) {
    auto request = request_for(principal);
    request.principal = principal;
    return request;
  };
  int refused = 0;
  for (int i = 0; i < 30; ++i) refused += submit(of("flood")).ticket ? 0 : 1;
  EXPECT_EQ(refused, 20);
  tick();
  for (int i = 0; i < 30; ++i) submit(of("flood"));
  Client polite = submit(of("polite"));
  ASSERT_TRUE(polite.ticket) << "the queue is full, but not of his";
  EXPECT_LE(polite.ticket->position, 1);
  const auto calls_before = record->calls.size();
  for (int i = 0; i < 100 && polite.sink->final_count() == 0; ++i) tick();
  EXPECT_TRUE(polite.sink->has_completed());
  EXPECT_LE(record->calls.size() - calls_before, 3 * 8u) << "his 8 steps, and a round of another's";
}

TEST_F(EngineTest, TheRefusedIsToldHisOwnWait) {
  engine_options.queue.requests_max = 4;
  engine_options.queue.work_max = std::chrono::hours{1};
  fake.rows_max = 1;
  fake.on_step = [this](int) { clock.advance(seconds{30}); };
  ready_engine();
  submit(request_for("measured"));
  run_to_rest();
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(submit(request_for("r")).ticket);
  const Client late = submit(request_for("late"));
  ASSERT_FALSE(late.ticket);
  EXPECT_EQ(late.ticket.error().retry_after, seconds{4 * 8 * 30}) << "not cut to what sounds nicer";
}

TEST_F(EngineTest, AModelWhoseFilesChangedIsLoadedAnew) {
  ready_engine();
  const Client client = submit(request_for("r", std::string(test::kFilesChanged)));
  run_to_rest();
  ASSERT_TRUE(client.sink->failure());
  EXPECT_EQ(client.sink->failure()->code, "model_files_changed");
  EXPECT_NE(pool().status("fake")->state, ModelState::Ready);
  const Client next = submit(request_for("next"));
  run_to_rest();
  EXPECT_TRUE(next.sink->has_completed());
}

TEST_F(EngineTest, PromisesAWaitFromMeasuredTimes) {
  ready_engine();
  submit(request_for("measured"));
  run_to_rest();
  submit(request_for("a"));
  const Client b = submit(request_for("b"));
  ASSERT_TRUE(b.ticket);
  EXPECT_EQ(b.ticket->position, 1);
  EXPECT_EQ(b.ticket->expected_wait, milliseconds{80});
}

TEST_F(EngineTest, AnnouncesThePositionEachTimeItChanges) {
  fake.rows_max = 1;
  ready_engine();
  submit(request_for("a"));
  submit(request_for("b"));
  auto curious = request_for("c");
  curious.wants_progress = true;
  const Client c = submit(curious);
  run_to_rest();
  std::vector<int> positions;
  for (const auto& queued : c.sink->all<event::Queued>()) positions.push_back(queued.position);
  EXPECT_THAT(positions, ElementsAre(2, 1, 0));
}

TEST_F(EngineTest, EstimatesWithoutPainting) {
  ready_engine();
  submit(request_for("measured"));
  run_to_rest();
  const auto estimate = engine().estimate(request_for("e"));
  ASSERT_TRUE(estimate);
  EXPECT_EQ(estimate->rows, 1);
  EXPECT_EQ(estimate->expected_time, milliseconds{80});
  EXPECT_EQ(record->prepared.size(), 1u);
}

TEST_F(EngineTest, CountsWhatItDoes) {
  ready_engine();
  submit(request_for("a"));
  submit(request_for("b", "[fail step 1]"));
  run_to_rest();
  auto unknown = request_for("c");
  unknown.model = "nobody";
  submit(unknown);
  const std::string text = metrics.render();
  EXPECT_THAT(text, HasSubstr("model=\"fake\",outcome=\"completed\"} 1"));
  EXPECT_THAT(text, HasSubstr("model=\"fake\",outcome=\"failed\"} 1"));
  EXPECT_THAT(text, HasSubstr("reason=\"model_not_found\"} 1"));
}

// Shutdown.

TEST_F(EngineTest, DrainsWhatItAcceptedAndRefusesTheRest) {
  ready_engine();
  const Client accepted = submit(request_for("a"));
  engine().begin_drain(clock.now() + seconds{30});
  const Client late = submit(request_for("late"));
  ASSERT_FALSE(late.ticket);
  EXPECT_EQ(late.ticket.error().kind, ErrorKind::Unavailable);
  EXPECT_TRUE(late.ticket.error().retry_after);
  run_to_rest();
  EXPECT_TRUE(accepted.sink->has_completed());
}

TEST_F(EngineTest, FailsWhatIsNotFinishedAtTheDeadlineOfADrain) {
  ready_engine();
  const Client running = submit(request_for("a"));
  tick(2);
  const Client waiting = submit(request_for("b"));
  engine().begin_drain(clock.now() + seconds{1});
  clock.advance(seconds{1});
  tick();
  EXPECT_EQ(running.sink->failure()->kind, ErrorKind::Unavailable);
  EXPECT_EQ(waiting.sink->failure()->kind, ErrorKind::Unavailable);
}

TEST_F(EngineTest, AnswersEverybodyWhenItIsDestroyed) {
  ready_engine();
  const Client running = submit(request_for("a"));
  tick(2);
  const Client at_the_door = submit(request_for("b"));
  destroy_engine();
  EXPECT_EQ(running.sink->final_count(), 1u);
  EXPECT_EQ(at_the_door.sink->final_count(), 1u);
  EXPECT_EQ(at_the_door.sink->failure()->kind, ErrorKind::Unavailable);
}

// Models.

TEST_F(EngineTest, KeepsARequestWhileItsModelLoads) {
  auto request = request_for("r");
  request.wants_progress = true;
  const Client client = submit(request);
  ASSERT_TRUE(client.ticket);
  tick();
  const auto queued = client.sink->all<event::Queued>();
  ASSERT_EQ(queued.size(), 1u);
  ASSERT_TRUE(queued[0].loading);
  EXPECT_EQ(queued[0].loading->model, "fake");
  EXPECT_GT(queued[0].expected_wait, milliseconds{0});
  run_to_rest();
  EXPECT_TRUE(client.sink->has_completed());
}

TEST_F(EngineTest, ChecksARequestThatCameBeforeItsModel) {
  auto request = request_for("r");
  request.size = {63, 64};
  const Client client = submit(request);
  ASSERT_TRUE(client.ticket);
  run_to_rest();
  EXPECT_EQ(client.sink->failure()->kind, ErrorKind::InvalidArgument);
}

TEST_F(EngineTest, PaintsWithAReadyModelWhileAnotherLoads) {
  ready_engine();
  auto other = request_for("other");
  other.model = "other";
  const Client waiting = submit(other);
  const Client painting = submit(request_for("r"));
  tick(20);
  EXPECT_TRUE(painting.sink->has_completed());
  EXPECT_EQ(waiting.sink->final_count(), 0u);
  run_to_rest();
  EXPECT_TRUE(waiting.sink->has_completed());
}

TEST_F(EngineTest, TellsThoseWhoDoNotWaitThatTheModelIsLoading) {
  auto request = request_for("r");
  request.model_wait_max = seconds{0};
  const Client first = submit(request);
  ASSERT_FALSE(first.ticket);
  EXPECT_EQ(first.ticket.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(first.ticket.error().code, "model_loading");
  EXPECT_TRUE(first.ticket.error().retry_after);
  pool().run_one_load();
  EXPECT_TRUE(submit(request).ticket);
}

TEST_F(EngineTest, RefusesOneThatHasWaitedForItsModelAsLongAsItWould) {
  auto request = request_for("r");
  request.model_wait_max = seconds{2};
  const Client client = submit(request);
  tick();
  clock.advance(milliseconds{1'999});
  tick();
  EXPECT_EQ(client.sink->final_count(), 0u);
  clock.advance(milliseconds{1});
  tick();
  ASSERT_TRUE(client.sink->failure());
  EXPECT_EQ(client.sink->failure()->code, "model_loading");
  EXPECT_TRUE(client.sink->failure()->retry_after);
}

TEST_F(EngineTest, ChecksARequestBeforeItsModelIsLoaded) {
  unopenable.emplace();
  fake.prompt_chars_max = 10;
  const Client client = submit(request_for("r", "a prompt that is too long"));
  ASSERT_FALSE(client.ticket);
  EXPECT_EQ(client.ticket.error().param, "prompt");
  EXPECT_EQ(pool().status("fake")->state, ModelState::Unloaded);
}

TEST_F(EngineTest, EstimatesForAModelThatIsNotLoadedAndCountsItsLoading) {
  unopenable.emplace();
  const auto before = engine().estimate(request_for("r"));
  ASSERT_TRUE(before);
  EXPECT_EQ(pool().status("fake")->state, ModelState::Unloaded);
  ready_engine();
  const auto after = engine().estimate(request_for("r"));
  ASSERT_TRUE(after);
  EXPECT_GT(before->expected_wait, after->expected_wait);
  EXPECT_EQ(before->effective.text_tokens, after->effective.text_tokens);
}

TEST_F(EngineTest, PaintsWithTheModelAsItIsServedNow) {
  ready_engine();
  const Client first = submit(request_for("first"));
  tick();
  pool().set_names({"fake"}, {"fake"});
  const Client second = submit(request_for("second"));
  tick(20);
  EXPECT_TRUE(first.sink->has_completed());
  EXPECT_EQ(second.sink->final_count(), 0u);
  EXPECT_TRUE(run_to_rest());
  EXPECT_TRUE(second.sink->has_completed());
}

TEST_F(EngineTest, TellsTheWaitingThatTheirModelIsNotServedAnyMore) {
  auto request = request_for("r");
  request.model = "other";
  const Client client = submit(request);
  tick();
  pool().set_names({"fake"});
  tick();
  ASSERT_TRUE(client.sink->failure());
  EXPECT_EQ(client.sink->failure()->code, "model_not_found");
}

TEST_F(EngineTest, FailsTheWaitingWhenTheirModelCannotBeLoaded) {
  broken["fake"] = {.kind = ErrorKind::NotFound, .message = "no such folder /srv/secret"};
  const Client client = submit(request_for("r"));
  run_to_rest();
  ASSERT_TRUE(client.sink->failure());
  EXPECT_EQ(client.sink->failure()->code, "model_load_failed");
  EXPECT_THAT(client.sink->failure()->message, testing::Not(HasSubstr("secret")));
}

TEST_F(EngineTest, SaysThatMemoryRanOutAndCountsWhyARequestFailed) {
  fake.on_prepare = [] { throw std::bad_alloc(); };
  ready_engine();
  const Client client = submit(request_for("r"));
  run_to_rest();
  ASSERT_TRUE(client.sink->failure());
  EXPECT_EQ(client.sink->failure()->kind, ErrorKind::Unavailable);
  EXPECT_EQ(client.sink->failure()->code, "insufficient_memory");
  EXPECT_TRUE(client.sink->failure()->retry_after);
  EXPECT_THAT(metrics.render(),
              HasSubstr("limner_failures_total{model=\"fake\",reason=\"insufficient_memory\"} 1"));
}

GenerationRequest request_with_ink(std::string id) {
  auto request = test::request_for(std::move(id), "a cat<lora:ink:0.8>");
  return request;
}

TEST_F(EngineTest, PaintsOthersWhileLorasAreFused) {
  unopenable.emplace();
  fake.adapters = {"ink"};
  ready_engine();
  const Client inked = submit(request_with_ink("inked"));
  ASSERT_TRUE(inked.ticket);
  const Client plain = submit(request_for("plain"));
  tick(20);
  EXPECT_TRUE(plain.sink->has_completed());
  EXPECT_EQ(inked.sink->final_count(), 0u);
  EXPECT_TRUE(run_to_rest());
  EXPECT_TRUE(inked.sink->has_completed());
}

TEST_F(EngineTest, RequestsOfOneSetOfLorasShareACallAndThoseOfOthersDoNot) {
  unopenable.emplace();
  fake.adapters = {"ink"};
  ready_engine();
  std::vector<Client> clients;
  clients.push_back(submit(request_with_ink("tagged")));
  auto named = request_for("named");
  named.adapters = {{.name = "ink", .scale = 0.8}};
  clients.push_back(submit(named));
  clients.push_back(submit(request_for("plain")));
  EXPECT_TRUE(run_to_rest());
  bool have_shared = false;
  for (const auto& call : record->taken_calls()) {
    const std::set<std::string> ids(call.request_ids.begin(), call.request_ids.end());
    EXPECT_FALSE(ids.contains("plain") && ids.size() > 1);
    have_shared |= ids == std::set<std::string>{"tagged", "named"};
  }
  EXPECT_TRUE(have_shared);
}

TEST_F(EngineTest, FindsLorasInAPromptWhenItsModelIsKnownAtLast) {
  fake.adapters = {"ink"};
  const Client client = submit(request_with_ink("r"));
  ASSERT_TRUE(client.ticket) << "nothing is known of the model, not even whether it has LoRAs";
  EXPECT_TRUE(run_to_rest());
  EXPECT_TRUE(client.sink->has_completed());
  EXPECT_EQ(pool().status("fake <ink:0.8>")->state, ModelState::Ready);
}

TEST_F(EngineTest, RefusesALoraThatTheModelDoesNotHaveBeforeAnythingIsLoaded) {
  unopenable.emplace();
  fake.adapters = {"film"};
  const Client client = submit(request_with_ink("r"));
  ASSERT_FALSE(client.ticket);
  EXPECT_EQ(client.ticket.error().code, "unknown_lora");
  EXPECT_EQ(pool().status("fake")->state, ModelState::Unloaded);
}

TEST_F(EngineTest, TellsInItsOwnWordsWhyALoraDoesNotFit) {
  unopenable.emplace();
  fake.adapters = {"ink"};
  broken["fake <ink:0.8>"] = {.kind = ErrorKind::InvalidArgument,
                              .message = "lora ink: nothing in it fits this model",
                              .code = "invalid_lora"};
  ready_engine();
  const Client client = submit(request_with_ink("r"));
  EXPECT_TRUE(run_to_rest());
  ASSERT_TRUE(client.sink->failure());
  EXPECT_EQ(client.sink->failure()->code, "invalid_lora");
  EXPECT_TRUE(submit(request_for("plain")).ticket);
}

TEST_F(EngineTest, KnowsOnlyServedModels) {
  auto request = request_for("r");
  request.model = "nobody";
  const Client client = submit(request);
  ASSERT_FALSE(client.ticket);
  EXPECT_EQ(client.ticket.error().code, "model_not_found");
}

TEST_F(EngineTest, SwapsModelsThatDoNotFitTogetherSoThatBothAreServed) {
  pool_options.memory_bytes_max = 150;
  ready_engine();
  fake.step_count = 400;
  auto other = request_for("other");
  other.model = "other";
  std::vector<Client> clients;
  for (int i = 0; i < 40; ++i) clients.push_back(submit(request_for("r")));
  const Client waiting = submit(other);
  // As steady clients of the first model would, each comes again.
  for (int i = 0; i < 2'000 && !waiting.sink->has_completed(); ++i) {
    tick();
    clock.advance(milliseconds{100});
    pool().run_one_load();
    if (i % 10 == 0) clients.push_back(submit(request_for("more")));
  }
  EXPECT_TRUE(waiting.sink->has_completed());
  EXPECT_TRUE(run_to_rest(100'000));
}

}  // namespace
}  // namespace limner::engine
