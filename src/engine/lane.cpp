#include "engine/lane.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "engine/guard.hpp"
#include "engine/preview_steps.hpp"
#include "engine/refusals.hpp"
#include "engine/request_shape.hpp"

namespace limner::engine {
namespace {

using std::chrono::microseconds;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

microseconds to_microseconds(Duration duration) {
  return std::chrono::duration_cast<microseconds>(duration);
}

Waiting to_waiting(const PendingRequest& request) {
  return {.id = request.id,
          .group = request.shape->group,
          .rows = request.shape->rows,
          .rows_max = request.shape->rows_max,
          .since = request.accepted_at,
          .work = request.expected};
}

int steps_left(const ActiveRequest& request) {
  return request.state->step_count() - request.state->step_index();
}

Duration load_left(const ModelLoading& loading) {
  return std::max(loading.expected - loading.elapsed, std::chrono::milliseconds{0});
}

}  // namespace

Lane::Lane(RequestQueue& queue, ModelPool& pool, Guarded<StepTimes>& times,
           Guarded<EngineCounters>& counters, BatchLimits limits, const Clock& clock)
    : queue_(queue),
      pool_(pool),
      times_(times),
      counters_(counters),
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
  std::vector<std::string> wanted;
  for (const auto& request : waiting_) {
    const std::string& model = request.request.model;
    if (std::ranges::find(wanted, model) == wanted.end()) wanted.push_back(model);
  }
  pool_.update(wanted);
  models_.clear();
  for (const auto& name : wanted) {
    if (auto status = pool_.status(name)) models_.emplace(name, std::move(*status));
  }
  for (auto it = waiting_.begin(); it != waiting_.end();) {
    const auto request = it++;
    const auto model = models_.find(request->request.model);
    if (model == models_.end()) {
      end_waiting(request, model_unknown(request->request.model));
    } else if (model->second.state == ModelState::Failed) {
      end_waiting(request, *model->second.error);
    } else if (model->second.state == ModelState::Ready && !request->shape) {
      if (auto checked = learn_shape(*request); !checked) end_waiting(request, checked.error());
    }
  }
}

// For requests that came before their model was loaded; the others were checked at the door.
Result<void> Lane::learn_shape(PendingRequest& request) {
  const auto pipeline = pool_.peek(request.request.model);
  if (!pipeline) return {};
  auto shape = guarded([&] { return shape_of(*pipeline, request.request); });
  if (!shape) return std::move(shape).error();
  request.expected = times_.with([&](const StepTimes& times) { return times.alone(*shape); });
  request.shape = std::move(*shape);
  return {};
}

void Lane::announce_positions() {
  int position = 0;
  Duration work_ahead = queue_.depth().active_work;
  for (auto& request : waiting_) {
    const auto& loading = models_.at(request.request.model).loading;
    const std::string stage = loading ? loading->stage : std::string();
    const bool is_news = request.announced_position != position || request.announced_stage != stage;
    if (request.request.wants_progress && is_news) {
      const Duration wait = work_ahead + (loading ? load_left(*loading) : Duration{});
      request.reply.emit(event::Queued{
          .position = position,
          .expected_wait = std::chrono::duration_cast<std::chrono::milliseconds>(wait),
          .loading = loading});
      request.announced_position = position;
      request.announced_stage = stage;
    }
    work_ahead += request.work;
    ++position;
  }
}

BatchPlan Lane::plan() {
  std::vector<Waiting> waiting;
  std::vector<Active> active;
  std::vector<Group> groups;
  for (const auto& request : waiting_) {
    if (!request.shape || !models_.at(request.request.model).takes_requests) continue;
    waiting.push_back(to_waiting(request));
    groups.push_back(request.shape->group);
  }
  for (const auto& request : active_) {
    active.push_back({.request = to_waiting(request.origin), .ticks_idle = request.ticks_idle});
    groups.push_back(request.shape().group);
  }
  turns_.sync(groups);
  return plan_batch(waiting, active, turns_.view(), limits_);
}

void Lane::admit(std::span<const RequestId> ids) {
  for (const RequestId id : ids) {
    const auto request = std::ranges::find(waiting_, id, &PendingRequest::id);
    if (request->reply.is_cancelled()) {
      end_waiting(request, client_left());
      continue;
    }
    // Empty when the model began to leave since this tick began: the request waits on.
    auto lease = pool_.lease(request->request.model);
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
  if (state && *state == nullptr) state = engine_failure("prepare returned no state");
  if (!state) return end(pending, std::move(state).error());

  times_.with(
      [&](StepTimes& times) { times.record_prepare(pending.shape->group, prepared - started); });
  auto previews = preview_steps(pending.request.partial_images, (*state)->step_count());
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

void Lane::step(std::span<const RequestId> ids) {
  for (auto& request : active_) ++request.ticks_idle;
  std::vector<ActiveRequest*> batch;
  for (const RequestId id : ids) {
    ActiveRequest* request = find_active(id);
    if (!request || request->state->is_finished()) continue;
    request->ticks_idle = 0;
    if (!request->origin.reply.is_cancelled()) batch.push_back(request);
  }
  if (batch.empty()) return;
  const TimePoint started = clock_.now();
  step_batch(batch);
  turns_.record(batch.front()->shape().group, clock_.now() - started);
}

void Lane::step_batch(std::span<ActiveRequest* const> batch) {
  std::vector<pipelines::DenoiseState*> states;
  std::vector<int> steps_before;
  int rows = 0;
  for (const ActiveRequest* request : batch) {
    states.push_back(request->state.get());
    steps_before.push_back(request->state->step_index());
    rows += request->shape().rows;
  }
  const TimePoint started = clock_.now();
  auto outcomes = guarded([&]() -> Result<std::vector<Result<void>>> {
    return batch.front()->pipeline().step(states);
  });
  const Duration took = clock_.now() - started;
  if (outcomes && outcomes->size() != batch.size()) {
    outcomes = engine_failure("step answered for another number of states");
  }
  if (!outcomes) outcomes = std::vector<Result<void>>(batch.size(), outcomes.error());

  const bool has_success = std::ranges::any_of(*outcomes, &Result<void>::has_value);
  counters_.with([&](EngineCounters& counters) {
    ++counters.network_calls;
    counters.rows += static_cast<std::uint64_t>(rows);
    counters.network_seconds += seconds(took);
    if (!has_success && batch.size() > 1) ++counters.retries;
  });
  if (!has_success && batch.size() > 1) {
    // One of them may have spoilt it for all: each gets one try alone.
    for (ActiveRequest* const& request : batch) {
      if (!request->origin.reply.is_cancelled()) step_batch({&request, 1});
    }
    return;
  }
  if (has_success) {
    times_.with(
        [&](StepTimes& times) { times.record_step(batch.front()->shape().group, rows, took); });
  }
  for (std::size_t i = 0; i < batch.size(); ++i) {
    apply(*batch[i], std::move((*outcomes)[i]), steps_before[i]);
  }
}

void Lane::apply(ActiveRequest& request, Result<void> outcome, int step_before) {
  if (!outcome) {
    request.failure = outcome.error();
  } else if (request.state->step_index() <= step_before) {
    // It would never end.
    request.failure = engine_failure("a step did not advance its request");
  }
}

void Lane::report(std::span<const RequestId> ids) {
  for (const RequestId id : ids) {
    ActiveRequest* request = find_active(id);
    if (!request || request->failure) continue;
    if (request->origin.request.wants_progress) {
      request->origin.reply.emit(event::Progress{.step = request->state->step_index(),
                                                 .step_count = request->state->step_count()});
    }
    send_preview(*request);
  }
}

// A preview is a courtesy: when it fails the picture goes on.
void Lane::send_preview(ActiveRequest& request) {
  const auto& steps = request.preview_steps;
  const int step_index = request.state->step_index();
  if (request.previews_done >= steps.size() || step_index < steps[request.previews_done]) return;
  if (request.state->is_finished()) return;
  const int partial_index = static_cast<int>(request.previews_done);
  while (request.previews_done < steps.size() && steps[request.previews_done] <= step_index) {
    ++request.previews_done;
  }
  auto images = guarded(
      [&] { return request.pipeline().decode(*request.state, pipelines::DecodeQuality::Preview); });
  if (!images) {
    log::warn("no preview: {} {}", images.error().message, images.error().detail);
    return;
  }
  counters_.with([&](EngineCounters& counters) { counters.previews += images->size(); });
  int image_index = 0;
  for (auto& image : *images) {
    request.origin.reply.emit(event::Partial{
        .image_index = image_index++, .partial_index = partial_index, .image = std::move(image)});
  }
}

void Lane::finish_done() {
  for (auto it = active_.begin(); it != active_.end();) {
    ActiveRequest& request = *it++;
    if (request.failure) {
      end_active(request, std::move(*request.failure));
    } else if (request.origin.reply.is_cancelled()) {
      end_active(request, client_left());
    } else if (request.state->is_finished()) {
      decode(request);
    }
  }
}

void Lane::decode(ActiveRequest& request) {
  const TimePoint started = clock_.now();
  request.timings.denoise = to_microseconds(started - request.denoise_since);
  auto images = guarded(
      [&] { return request.pipeline().decode(*request.state, pipelines::DecodeQuality::Full); });
  const Duration took = clock_.now() - started;
  const int image_count = request.origin.request.image_count;
  if (images && std::ssize(*images) != image_count) {
    images = engine_failure("decode answered with another number of images");
  }
  if (!images) return end_active(request, std::move(images).error());

  request.timings.decode = to_microseconds(took);
  times_.with(
      [&](StepTimes& times) { times.record_decode(request.shape().group, image_count, took); });
  counters_.with([&](EngineCounters& counters) {
    ++counters.completed;
    counters.images += static_cast<std::uint64_t>(image_count);
    counters.decode_seconds += seconds(took);
  });
  event::Completed completed{
      .images = {}, .effective = request.state->effective(), .timings = request.timings};
  for (int i = 0; i < image_count; ++i) {
    completed.images.push_back(
        {.index = i,
         .seed = request.origin.request.sampling.seed + static_cast<std::uint64_t>(i),
         .image = std::move((*images)[static_cast<std::size_t>(i)])});
  }
  request.origin.reply.complete(std::move(completed));
  queue_.forget(request.id());
  active_.remove_if([&](const ActiveRequest& other) { return &other == &request; });
}

void Lane::publish() {
  Duration work_left{};
  Duration until_room = Duration::max();
  times_.with([&](const StepTimes& times) {
    for (const auto& request : active_) {
      RequestShape rest = request.shape();
      rest.step_count = steps_left(request);
      work_left += times.share(rest);
      until_room = std::min(until_room, times.alone(rest));
    }
  });
  // Nothing runs: the queue moves when the first model is loaded.
  if (active_.empty()) {
    const auto loading = std::ranges::find_if(
        models_, [](const auto& model) { return model.second.loading.has_value(); });
    until_room = loading == models_.end() ? Duration{} : load_left(*loading->second.loading);
  }
  queue_.set_active(work_left, until_room);
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
  counters_.with(
      [&](EngineCounters& counters) { ++(is_cancelled ? counters.cancelled : counters.failed); });
  if (error.kind == ErrorKind::Internal) {
    log::error("{} failed: {} {}", request.request.id, error.message, error.detail);
  }
  request.reply.fail(std::move(error));
  queue_.forget(request.id);
}

}  // namespace limner::engine
