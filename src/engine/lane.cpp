#include "engine/lane.hpp"

#include <algorithm>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "diffusion/pipelines/adapters.hpp"
#include "engine/guard.hpp"
#include "engine/preview_steps.hpp"
#include "engine/refusals.hpp"
#include "engine/request_shape.hpp"
#include "engine/turn_order.hpp"

namespace limner::engine {
namespace {

using std::chrono::microseconds;

microseconds to_microseconds(Duration duration) {
  return std::chrono::duration_cast<microseconds>(duration);
}

Waiting to_waiting(const PendingRequest& request, Duration used) {
  return {.id = request.id,
          .group = request.shape->group,
          .rows = request.shape->rows,
          .rows_max = request.shape->rows_max,
          .since = request.accepted_at,
          .work = request.expected,
          .principal = request.request.principal,
          .used = used};
}

Turn turn_of(const PendingRequest& request, Duration used) {
  return {.principal = request.request.principal,
          .used = used,
          .due = request.due,
          .work = request.work,
          .id = static_cast<std::uint64_t>(request.id)};
}

}  // namespace

Lane::Lane(RequestQueue& queue, ModelPool& pool, Guarded<StepTimes>& times,
           metrics::Metrics& metrics, BatchLimits limits, const Clock& clock)
    : queue_(queue),
      pool_(pool),
      times_(times),
      metrics_(metrics),
      limits_(limits),
      clock_(clock) {}

bool Lane::tick() {
  take_new();
  drop_cancelled();
  follow_models();
  announce_positions();

  const BatchPlan planned = plan();
  admit(planned.admit);
  step(planned.step);

  take_new();
  drop_cancelled();
  report(planned.step);
  finish_done();
  publish();
  return !planned.step.empty();
}

void Lane::fail_all(const Error& error) {
  take_new();
  while (!waiting_.empty()) end_waiting(waiting_.begin(), error);
  while (!active_.empty()) end_active(active_.front(), error);
  publish();
}

void Lane::take_new() {
  auto taken = queue_.take();
  waiting_.splice(waiting_.end(), taken.arrivals);
  for (const RequestId id : taken.cancels) {
    for (auto& request : waiting_) {
      if (request.id == id) request.reply.cancel();
    }
    if (ActiveRequest* request = find_active(id)) request->origin.reply.cancel();
  }
}

void Lane::drop_cancelled() {
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto request = it++;
    if (request->reply.is_cancelled()) end_waiting(request, client_left());
  }
  for (auto it = active_.begin(); it != active_.end();) {
    ActiveRequest& request = *it++;
    if (request.origin.reply.is_cancelled()) end_active(request, client_left());
  }
}

// Asks for the models of all that wait, ends those whose model cannot be had.
void Lane::follow_models() {
  std::vector<ModelVariant> wanted;
  std::set<std::string> keys;
  for (const auto& request : waiting_) {
    if (keys.insert(request.variant.key()).second) wanted.push_back(request.variant);
  }
  pool_.update(wanted);
  models_.clear();
  for (const auto& key : keys) {
    if (auto status = pool_.status(key)) models_.emplace(key, std::move(*status));
  }
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto request = it++;
    const auto model = models_.find(request->variant.key());
    if (model == models_.end()) {
      end_waiting(request, model_unknown(request->request.model));
    } else if (model->second.state == ModelState::Failed) {
      end_waiting(request, *model->second.error);
    } else if (model->second.state != ModelState::Ready && has_waited_enough(*request)) {
      end_waiting(request, model_loading(model->second.loading.value_or(ModelLoading{
                               .model = request->request.model, .stage = "not loaded"})));
    } else if (model->second.state == ModelState::Ready && !request->shape) {
      if (auto checked = learn_shape(*request); !checked) end_waiting(request, checked.error());
    }
  }
}

// Null for a request that learnt only in this tick that it wants LoRAs.
const ModelStatus* Lane::model_of(const PendingRequest& request) const {
  const auto model = models_.find(request.variant.key());
  return model == models_.end() ? nullptr : &model->second;
}

// Of those that wait for their model: how long they may.
bool Lane::has_waited_enough(const PendingRequest& request) const {
  const auto& wait_max = request.request.model_wait_max;
  return wait_max && clock_.now() - request.accepted_at >= *wait_max;
}

// For requests that came before anything was known of their model; the others were checked at the
// door.
Result<void> Lane::learn_shape(PendingRequest& request) {
  const auto pipeline = pool_.peek(request.request.model);
  if (!pipeline) return {};
  auto asked = pipelines::with_adapters_of_prompt(request.request, pipeline->traits());
  if (!asked) return std::move(asked).error();
  request.request = std::move(*asked);
  request.variant = ModelVariant::of(request.request);
  auto shape = guarded([&] { return shape_of(*pipeline, request.request); });
  if (!shape) return std::move(shape).error();
  request.shape = std::move(*shape);
  request.is_guessed = true;  // of what it is was nothing known: publish() looks again
  return {};
}

// In the order of turns, in which what runs counts too.
void Lane::announce_positions() {
  std::vector<Turn> turns;
  std::vector<PendingRequest*> requests;  // null for one that runs
  std::vector<Duration> works;
  for (auto& request : active_) {
    turns.push_back(turn_of(request.origin, used_by(request.origin)));
    requests.push_back(nullptr);
    works.push_back(request.work_left);
  }
  bool is_anybody_curious = false;
  for (auto& request : waiting_) {
    turns.push_back(turn_of(request, used_by(request)));
    requests.push_back(&request);
    works.push_back(request.work);
    is_anybody_curious |= request.request.wants_progress;
  }
  if (!is_anybody_curious) return;
  int position = 0;
  Duration work_ahead{};
  for (const auto i : turn_order(turns)) {
    work_ahead += works[i];
    if (!requests[i]) continue;
    auto& request = *requests[i];
    const ModelStatus* model = model_of(request);
    const auto loading = model ? model->loading : std::nullopt;
    const std::string stage = loading ? loading->stage : std::string();
    const bool is_news = request.announced_position != position || request.announced_stage != stage;
    if (request.request.wants_progress && is_news) {
      const Duration wait = work_ahead - works[i] + (loading ? loading->left() : Duration{});
      request.reply.emit(event::Queued{
          .position = position,
          .expected_wait = std::chrono::duration_cast<std::chrono::milliseconds>(wait),
          .loading = loading});
      request.announced_position = position;
      request.announced_stage = stage;
    }
    ++position;
  }
}

BatchPlan Lane::plan() {
  std::vector<Waiting> waiting;
  std::vector<Active> active;
  std::vector<Group> groups;
  std::vector<std::string_view> principals;
  for (const auto& request : waiting_) principals.push_back(request.request.principal);
  for (const auto& request : active_) principals.push_back(request.origin.request.principal);
  principals_.sync(principals);
  for (const auto& request : waiting_) {
    const ModelStatus* model = model_of(request);
    if (!request.shape || !model || !model->takes_requests) continue;
    waiting.push_back(to_waiting(request, used_by(request)));
    groups.push_back(request.shape->group);
  }
  for (const auto& request : active_) {
    active.push_back({.request = to_waiting(request.origin, used_by(request.origin)),
                      .ticks_idle = request.ticks_idle});
    groups.push_back(request.shape().group);
  }
  turns_.sync(groups);
  return plan_batch(waiting, active, turns_.view(), limits_);
}

Duration Lane::used_by(const PendingRequest& request) const {
  return principals_.used(request.request.principal);
}

void Lane::admit(std::span<const RequestId> ids) {
  for (const RequestId id : ids) {
    const auto request = std::ranges::find(waiting_, id, &PendingRequest::id);
    if (request->reply.is_cancelled()) {
      end_waiting(request, client_left());
      continue;
    }
    // Empty when the model began to leave since this tick began: the request waits on.
    auto lease = pool_.lease(request->variant.key());
    if (!lease) continue;
    queue_.leave(*request);
    PendingRequest pending = std::move(*request);
    waiting_.erase(request);
    prepare(std::move(pending), std::move(*lease));
  }
}

void Lane::prepare(PendingRequest pending, ModelLease lease) {
  const TimePoint started = clock_.now();
  auto state = guarded([&] { return lease.pipeline().prepare(pending.request); });
  const TimePoint prepared = clock_.now();
  principals_.record(pending.request.principal, prepared - started);
  if (state && *state == nullptr) state = engine_failure("prepare returned no state");
  if (!state) return end(pending, std::move(state).error());

  times_.with(
      [&](StepTimes& times) { times.record_prepare(pending.shape->group, prepared - started); });
  auto previews = preview_steps(pending.request.partial_images, (*state)->step_count());
  metrics_.queue_wait(pending.request.model, started - pending.accepted_at);
  Timings timings{.queued = to_microseconds(started - pending.accepted_at),
                  .prepare = to_microseconds(prepared - started)};
  active_.push_back({.origin = std::move(pending),
                     .lease = std::move(lease),
                     .state = std::move(*state),
                     .preview_steps = std::move(previews),
                     .timings = timings,
                     .denoise_since = prepared,
                     .failure = std::nullopt});
}

ActiveRequest* Lane::find_active(RequestId id) {
  const auto it = std::ranges::find(active_, id, &ActiveRequest::id);
  return it == active_.end() ? nullptr : &*it;
}

void Lane::end_waiting(std::list<PendingRequest>::iterator request, Error error) {
  queue_.leave(*request);
  end(*request, std::move(error));
  waiting_.erase(request);
}

void Lane::end_active(ActiveRequest& request, Error error) {
  end(request.origin, std::move(error));
  active_.remove_if([&](const ActiveRequest& other) { return &other == &request; });
}

void Lane::end(PendingRequest& request, Error error) {
  const bool is_cancelled = error.kind == ErrorKind::Cancelled;
  metrics_.request_ended(request.request.model,
                         is_cancelled ? metrics::Outcome::Cancelled : metrics::Outcome::Failed);
  if (!is_cancelled) {
    metrics_.request_failed(request.request.model,
                            error.code.empty() ? to_string(error.kind) : error.code);
  }
  if (error.kind == ErrorKind::Internal || error.code == "model_files_changed") {
    log::error("{} failed: {} {}", request.request.id, error.message, error.detail);
  }
  if (error.code == "model_files_changed") pool_.reload(request.request.model);
  request.reply.fail(std::move(error));
  queue_.forget(request.id);
}

}  // namespace limner::engine
