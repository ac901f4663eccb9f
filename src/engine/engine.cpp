#include "engine/engine.hpp"

#include <utility>

#include "diffusion/pipelines/adapters.hpp"
#include "engine/lane_priority.hpp"
#include "engine/refusals.hpp"
#include "engine/request_shape.hpp"

namespace limner::engine {
namespace {

// Idle unloading, patience and drain deadlines are looked at this often while nothing is painted.
constexpr std::chrono::milliseconds kIdleWaitMax{500};
// One network call cannot be interrupted; the largest models take this long for one.
constexpr std::chrono::seconds kNetworkCallMax{60};

std::size_t pixel_count(ImageSize size) {
  return static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(size.height_px);
}

}  // namespace

Engine::Engine(ModelPool& pool, metrics::Metrics& metrics, EngineOptions options,
               const Clock& clock)
    : pool_(pool),
      metrics_(metrics),
      options_(options),
      clock_(clock),
      queue_(options.queue),
      lane_(queue_, pool, times_, metrics, options.batch, clock) {
  pool_.set_on_change([this] { queue_.wake(); });
}

Engine::~Engine() {
  stop();
}

void Engine::stop() {
  queue_.close();
  pool_.set_on_change({});
  thread_ = {};
  lane_.fail_all(stopped());
}

Result<Ticket> Engine::submit(GenerationRequest request, std::shared_ptr<EventSink> sink,
                              std::stop_token stop) {
  const auto refuse = [&](Error error) {
    metrics_.refused(error.code.empty() ? to_string(error.kind) : error.code);
    return error;
  };
  const auto status = pool_.status(request.model);
  const Duration until_ready = status ? status->until_ready : Duration{};
  // Before the check: refusing must stay cheap when the most come.
  if (auto room = queue_.check_room(request.principal, request.model, until_ready); !room) {
    return refuse(room.error());
  }
  auto prepared = read_adapters(std::move(request));
  if (!prepared) return refuse(prepared.error());
  request = std::move(*prepared);
  auto shape = check_model(request);
  if (!shape) return refuse(shape.error());

  const ImageSize size = request.size;
  const int image_count = request.image_count;
  PendingRequest pending{
      .id = queue_.next_id(),
      .request = std::move(request),
      .variant = {},
      .reply = Reply(std::move(sink), std::move(stop), [this] { queue_.wake(); }),
      .accepted_at = clock_.now(),
      .shape = std::move(*shape),
  };
  pending.variant = ModelVariant::of(pending.request);
  times_.with([&](const StepTimes& times) {
    const auto guess = StepTimes::guess(pixel_count(size), image_count);
    pending.work = pending.shape ? times.share(*pending.shape) : guess;
    pending.expected = pending.shape ? times.alone(*pending.shape) : guess;
    pending.is_guessed = !pending.shape || !times.has_measured(pending.shape->group.model);
  });
  pending.due = due_of(pending.accepted_at, pending.expected, options_.batch);
  const RequestId id = pending.id;
  const auto variant = pool_.status(pending.variant.key());
  metrics_.cache_lookup("models", variant && variant->state == ModelState::Ready);
  auto place = queue_.push(std::move(pending), until_ready);
  if (!place) {
    pending.reply.dismiss();
    return refuse(place.error());
  }
  return Ticket{.id = id, .position = place->position, .expected_wait = place->expected_wait};
}

bool Engine::cancel(RequestId id) {
  return queue_.post_cancel(id);
}

Result<Estimate> Engine::estimate(const GenerationRequest& asked) const {
  const auto prepared = read_adapters(asked);
  if (!prepared) return prepared.error();
  const GenerationRequest& request = *prepared;
  const auto status = pool_.status(request.model);
  if (!status) return model_unknown(request.model);
  if (status->error) return *status->error;
  const auto pipeline = pool_.peek(request.model);
  if (!pipeline) return ask_for_model(request.model);
  auto effective = pipeline->check(request);
  if (!effective) return effective.error();
  const auto shape = shape_of(*pipeline, request);
  if (!shape) return shape.error();
  const auto alone = times_.with([&](const StepTimes& times) { return times.alone(*shape); });
  const auto place = queue_.place_of({.principal = request.principal,
                                      .model = request.model,
                                      .due = due_of(clock_.now(), alone, options_.batch)});
  return Estimate{.effective = std::move(*effective),
                  .rows = shape->rows,
                  .expected_wait = place.expected_wait + status->until_ready,
                  .expected_time = alone};
}

void Engine::start() {
  thread_ = std::jthread([this](std::stop_token stop) { run(std::move(stop)); });
}

bool Engine::run_one_tick() {
  const bool is_over = drain_.with(
      [&](const Drain& drain) { return drain.has_begun && clock_.now() >= drain.deadline; });
  if (is_over) lane_.fail_all(stopped());
  return lane_.tick();
}

void Engine::begin_drain(TimePoint deadline) {
  drain_.with([&](Drain& drain) { drain = {.has_begun = true, .deadline = deadline}; });
  queue_.close();
}

bool Engine::drain(Duration within) {
  begin_drain(clock_.now() + within);
  return queue_.wait_until_empty(within + kNetworkCallMax);
}

Result<GenerationRequest> Engine::read_adapters(GenerationRequest request) const {
  const auto pipeline = pool_.peek(request.model);
  if (!pipeline) return request;  // the lane does it when the model is known
  return pipelines::with_adapters_of_prompt(std::move(request), pipeline->traits());
}

// The model begins to load; what those are told who do not wait for it.
Error Engine::ask_for_model(const ModelVariant& variant) const {
  if (auto asked = pool_.preload(variant); !asked) return asked.error();
  const auto status = pool_.status(variant.key());
  if (!status) return model_unknown(variant.model);
  if (status->error) return *status->error;
  return model_loading(
      status->loading.value_or(ModelLoading{.model = variant.model, .stage = "not loaded"}));
}

// The shape of a request; none for one whose model was never opened and will check it when loaded.
Result<std::optional<RequestShape>> Engine::check_model(const GenerationRequest& request) {
  const auto status = pool_.status(request.model);
  if (!status) return model_unknown(request.model);
  std::optional<RequestShape> shape;
  if (const auto pipeline = pool_.peek(request.model)) {
    auto known = shape_of(*pipeline, request);
    if (!known) return std::move(known).error();
    shape = std::move(*known);
  }
  const auto variant = ModelVariant::of(request);
  // A set of LoRAs that nobody has asked for yet has none.
  const auto own = variant.is_plain() ? status : pool_.status(variant.key());
  if (own && own->state == ModelState::Ready) return shape;
  if (own && own->error && !own->is_retry_due) return *own->error;
  const bool waits = !request.model_wait_max || request.model_wait_max->count() > 0;
  if (!waits) return ask_for_model(variant);
  return shape;
}

void Engine::run(std::stop_token stop) {
  lower_thread_priority(options_.niceness);
  while (!stop.stop_requested()) {
    if (!run_one_tick()) queue_.wait(kIdleWaitMax, stop);
  }
}

}  // namespace limner::engine
