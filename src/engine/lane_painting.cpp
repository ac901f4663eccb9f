// What one tick does with requests that have been prepared.
#include <algorithm>
#include <utility>

#include "base/log.hpp"
#include "engine/guard.hpp"
#include "engine/lane.hpp"
#include "engine/refusals.hpp"

namespace limner::engine {
namespace {

using std::chrono::microseconds;

microseconds to_microseconds(Duration duration) {
  return std::chrono::duration_cast<microseconds>(duration);
}

int steps_left(const ActiveRequest& request) {
  return request.state->step_count() - request.state->step_index();
}

}  // namespace

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
  metrics_.step(batch.front()->shape().group.model, rows, took);
  for (const ActiveRequest* request : batch) {
    principals_.record(request->origin.request.principal, took * request->shape().rows / rows);
  }
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
  principals_.record(request.origin.request.principal, took);
  const int image_count = request.origin.request.image_count;
  if (images && std::ssize(*images) != image_count) {
    images = engine_failure("decode answered with another number of images");
  }
  if (!images) return end_active(request, std::move(images).error());

  request.timings.decode = to_microseconds(took);
  times_.with(
      [&](StepTimes& times) { times.record_decode(request.shape().group, image_count, took); });
  metrics_.decoded(request.origin.request.model, took);
  metrics_.painted(request.origin.request.model, image_count,
                   clock_.now() - request.origin.accepted_at);
  metrics_.request_ended(request.origin.request.model, metrics::Outcome::Completed);
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

// What is left of all requests, for those who ask how long they would wait.
void Lane::publish() {
  std::vector<WorkLeft> left;
  for (auto& request : active_) {
    RequestShape rest = request.shape();
    rest.step_count = steps_left(request);
    request.work_left = times_.with([&](const StepTimes& times) { return times.share(rest); });
    left.push_back({.id = request.id(), .work = request.work_left});
  }
  for (auto& request : waiting_) {
    if (!request.is_guessed || !measure(request)) continue;
    left.push_back({.id = request.id, .work = request.work});
  }
  queue_.set_work(left, principals_.all());
  metrics_.set_queued(static_cast<int>(waiting_.size()));
  metrics_.set_running(static_cast<int>(active_.size()));
}

// Of a request that came before anything was known of its model; false while that is so.
bool Lane::measure(PendingRequest& request) {
  if (!request.shape) return false;
  return times_.with([&](const StepTimes& times) {
    if (!times.has_measured(request.shape->group.model)) return false;
    request.work = times.share(*request.shape);
    request.expected = times.alone(*request.shape);
    request.is_guessed = false;
    return true;
  });
}

}  // namespace limner::engine
