#include "api/image_job.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/nebula/reply.hpp"
#include "api/openai/reply.hpp"
#include "api/picture_text.hpp"
#include "api/shorten_prompt.hpp"
#include "base/ids.hpp"
#include "base/log.hpp"
#include "codec/encode.hpp"
#include "codec/resize.hpp"
#include "http/sse.hpp"

namespace limner::api {
namespace {

// A stream's headers go out after this much silence, so that proxies and clients see that we live;
// before that a failure can still be a plain answer with its own status.
constexpr std::chrono::milliseconds kSilenceBeforeHeaders{10'000};
// After that much work a client must not start the same again by itself.
constexpr std::chrono::seconds kLongGeneration{30};
// Previews that wait to be encoded; older ones are dropped.
constexpr std::size_t kInboxMax = 16;

bool is_last(const GenerationEvent& event) {
  return std::holds_alternative<event::Completed>(event) ||
         std::holds_alternative<event::Failed>(event);
}

}  // namespace

ImageJob::ImageJob(Services& services, std::shared_ptr<http::Exchange> exchange, CallContext call,
                   ImageRequest request)
    : services_(services),
      exchange_(std::move(exchange)),
      call_(std::move(call)),
      request_(std::move(request)),
      started_at_(services.clock.now()),
      random_seed_(random_u64() >> 32U) {
  models_.push_back(request_.model);
  for (const auto& name : request_.fallbacks) models_.push_back(name);
}

ImageJob::~ImageJob() = default;

void ImageJob::start() {
  if (auto opened = open_pictures(); !opened) return fail(opened.error());
  try_models();
}

Result<void> ImageJob::open_pictures() {
  for (auto& input :
       std::exchange(request_.images, std::vector<ImageInput>(request_.images.size()))) {
    auto opened = OpenedImage::open(std::move(input), services_.limits);
    if (!opened) return opened.error();
    pictures_.push_back(*std::move(opened));
  }
  if (request_.mask) {
    auto opened = OpenedImage::open(*std::exchange(request_.mask, std::nullopt), services_.limits);
    if (!opened) return opened.error();
    mask_file_ = *std::move(opened);
  }
  return {};
}

void ImageJob::try_models() {
  while (attempt_ < models_.size()) {
    auto accepted = try_model(models_[attempt_]);
    if (accepted) return;
    if (!first_error_) first_error_ = accepted.error();
    if (!may_fall_back(accepted.error())) break;
    ++attempt_;
  }
  fail(*first_error_);
}

Result<void> ImageJob::try_model(const std::string& name) {
  auto model = services_.painter.find(name);
  if (!model) return model.error();
  auto generation = prepare(*model);
  if (!generation) return generation.error();
  auto checked = shorten_prompt(*generation);
  if (!checked) return checked.error();
  generation_ = *generation;
  generation_.init_image.reset();
  generation_.mask.reset();
  if (attempt_ == 0) {
    watch_client();
    services_.requests.add({.id = call_.request_id,
                            .owner = call_.owner,
                            .model = model->name,
                            .created = now_seconds()},
                           [stop = stop_]() mutable { stop.request_stop(); });
  }
  auto accepted =
      services_.painter.paint(*std::move(generation), shared_from_this(), stop_.get_token());
  if (!accepted) return accepted.error();
  if (request_.is_streamed && attempt_ == 0) {
    services_.timer.after(kSilenceBeforeHeaders, [weak = weak_from_this()] {
      if (auto job = weak.lock()) job->start_stream_if_silent();
    });
  }
  return {};
}

Result<GenerationRequest> ImageJob::prepare(const ServedModel& model) {
  if (!model.traits) {
    return model.error.value_or(
        Error{.kind = ErrorKind::Unavailable,
              .message = fmt::format("model: \"{}\" is loading", model.name),
              .param = "model",
              .code = "model_loading",
              .retry_after = std::chrono::seconds{2}});
  }
  std::optional<ImageSize> first_image;
  if (!pictures_.empty()) {
    first_image = pictures_.front().header().size;
    auto loaded = load_pictures_once();
    if (!loaded) return loaded.error();
  }
  auto resolved = resolve({.request = request_,
                           .traits = *model.traits,
                           .policy = model.policy,
                           .first_image = first_image,
                           .has_mask = loaded_ && loaded_->mask,
                           .random_seed = random_seed_,
                           .is_strict = call_.is_strict || services_.options.is_strict});
  if (!resolved) return resolved.error();
  auto& generation = resolved->generation;
  generation.id = call_.request_id;
  generation.model = model.name;
  // Progress is always told: the registry answers from it. It costs one small event a step.
  generation.wants_progress = true;
  if (loaded_) {
    auto image = codec::resize(loaded_->image, generation.size, codec::ResizeFilter::Lanczos);
    generation.init_image = std::make_shared<const Image>(std::move(image));
    if (loaded_->mask) {
      Mask mask{.grey = codec::resize(loaded_->mask->grey, generation.size,
                                      codec::ResizeFilter::Lanczos)};
      generation.mask = std::make_shared<const Mask>(std::move(mask));
    }
  }
  fill_plan(*resolved);
  plan_.model_requested = request_.model.empty() ? model.name : request_.model;
  return std::move(generation);
}

Result<void> ImageJob::load_pictures_once() {
  if (loaded_) return {};
  auto loaded =
      load_images(pictures_.front(), mask_file_ ? &*mask_file_ : nullptr, request_.edit_type,
                  rules_of(request_.dialect).mask_size, services_.limits);
  if (!loaded) return loaded.error();
  loaded_ = *std::move(loaded);
  return {};
}

Result<void> ImageJob::shorten_prompt(GenerationRequest& generation) {
  auto estimate = services_.painter.estimate(generation);
  const bool may_cut = services_.options.truncates_prompts && request_.dialect != Dialect::Ovms;
  if (!estimate && may_cut && is_prompt_too_long(estimate.error())) {
    if (auto shorter = longest_accepted(generation, services_.painter)) {
      if (*shorter != generation.prompt.text) plan_.revised_prompt = *shorter;
      generation.prompt.text = *std::move(shorter);
    }
    generation.truncates_prompt = true;  // the negative prompt, or one endless word
    estimate = services_.painter.estimate(generation);
  }
  if (!estimate) return estimate.error();
  expected_ = estimate->effective;
  return {};
}

void ImageJob::fill_plan(const Resolved& resolved) {
  plan_ = {};
  plan_.dialect = request_.dialect;
  plan_.operation = request_.operation;
  plan_.request_id = call_.request_id;
  plan_.has_extra_fields =
      rules_of(request_.dialect).sends_extra_fields || services_.options.sends_extra_fields;
  plan_.response_format = request_.response_format;
  plan_.output_format = request_.output_format;
  plan_.output_compression = request_.output_compression.value_or(100);
  plan_.is_transparent = resolved.is_transparent;
  plan_.quality = resolved.quality;
  plan_.size = resolved.generation.size;
  plan_.image_count = resolved.generation.image_count;
  plan_.notes = resolved.notes;
  if (request_.echoes_safety_identifier) plan_.safety_identifier = request_.user;
  for (const auto& picture : pictures_) {
    plan_.input_image_tokens +=
        input_image_tokens(picture.header().size, request_.has_high_input_fidelity);
  }
}

void ImageJob::watch_client() {
  if (call_.keeps_result) return;
  client_gone_.emplace(exchange_->client_gone(), [stop = stop_]() mutable { stop.request_stop(); });
}

void ImageJob::emit(GenerationEvent event) {
  if (const auto* queued = std::get_if<event::Queued>(&event)) {
    services_.requests.update(call_.request_id, [&](RequestStatus& status) {
      status.position = queued->position;
      status.expected_wait = queued->expected_wait;
    });
  }
  if (const auto* progress = std::get_if<event::Progress>(&event)) {
    services_.requests.update(call_.request_id, [&](RequestStatus& status) {
      status.state = RequestState::Running;
      status.step = progress->step;
      status.step_count = progress->step_count;
    });
  }
  const bool is_news = std::holds_alternative<event::Queued>(event) ||
                       std::holds_alternative<event::Progress>(event);
  if (is_news && !(request_.is_streamed && call_.wants_progress)) return;
  const bool starts_reader = inbox_.with([&](Inbox& inbox) {
    if (inbox.events.size() >= kInboxMax && !is_last(event)) return false;
    inbox.events.push_back(std::move(event));
    return !std::exchange(inbox.is_being_read, true);
  });
  if (!starts_reader) return;
  services_.workers.post([self = shared_from_this()] { self->read_inbox(); });
}

void ImageJob::read_inbox() {
  for (;;) {
    auto event = inbox_.with([](Inbox& inbox) -> std::optional<GenerationEvent> {
      if (inbox.events.empty()) {
        inbox.is_being_read = false;
        return std::nullopt;
      }
      auto front = std::move(inbox.events.front());
      inbox.events.pop_front();
      return front;
    });
    if (!event) return;
    std::visit([this](auto&& e) { take(std::move(e)); }, *std::move(event));
  }
}

void ImageJob::take(event::Queued queued) {
  if (auto* s = stream()) s->write(events_->queued(queued, now_seconds()));
}

void ImageJob::take(event::Progress progress) {
  if (auto* s = stream()) s->write(events_->progress(progress, now_seconds()));
}

void ImageJob::take(event::Partial partial) {
  if (!request_.is_streamed) return;
  const auto seed = generation_.sampling.seed + static_cast<std::uint64_t>(partial.image_index);
  auto file = encode(partial.image, seed);
  if (!file) {
    log::warn("request {}: a preview was dropped: {}", call_.request_id, file.error().message);
    return;
  }
  auto* s = stream();
  if (s == nullptr) return;
  s->write(
      events_->partial_image(partial.image_index, partial.partial_index, *file, now_seconds()));
}

void ImageJob::take(event::Completed completed) {
  auto reply = finish(std::move(completed));
  if (!reply) return fail(reply.error());
  answer(*reply);
}

void ImageJob::take(event::Failed failed) {
  const bool may_try_next = !has_stream_ && may_fall_back(failed.error) &&
                            attempt_ + 1 < models_.size() && !stop_.stop_requested();
  if (!may_try_next) return fail(first_error_.value_or(failed.error));
  if (!first_error_) first_error_ = failed.error;
  ++attempt_;
  try_models();
}

Result<std::vector<std::uint8_t>> ImageJob::encode(const Image& image, std::uint64_t seed) {
  return codec::encode_image(image, {.format = plan_.output_format,
                                     .quality = plan_.output_compression,
                                     .metadata = picture_text(generation_, expected_, seed)});
}

Result<FinishedReply> ImageJob::finish(event::Completed completed) {
  FinishedReply reply;
  expected_ = completed.effective;
  for (const auto& painted : completed.images) {
    auto file = encode(painted.image, painted.seed);
    if (!file) return file.error();
    FinishedImage image{.index = painted.index, .seed = painted.seed, .file = *std::move(file)};
    const bool wants_url = !request_.is_streamed && (plan_.response_format == ResponseFormat::Url ||
                                                     plan_.response_format == ResponseFormat::Both);
    if (wants_url || call_.keeps_result) {
      auto blob = services_.pictures.put(image.file, codec::mime_type(plan_.output_format));
      if (!blob) return blob.error();
      image.url = fmt::format("{}/v1/images/files/{}.{}", call_.base_url, blob->id,
                              codec::file_extension(plan_.output_format));
    }
    reply.images.push_back(std::move(image));
  }
  for (const auto& note : completed.effective.notes) plan_.notes.push_back(note);
  reply.effective = std::move(completed.effective);
  reply.timings = completed.timings;
  reply.created = now_seconds();
  reply.latency =
      std::chrono::duration_cast<std::chrono::milliseconds>(services_.clock.now() - started_at_);
  return reply;
}

void ImageJob::answer(const FinishedReply& reply) {
  has_ended_ = true;
  services_.requests.update(call_.request_id, [&](RequestStatus& status) {
    status.state = RequestState::Completed;
    for (const auto& image : reply.images) {
      if (call_.keeps_result) status.urls.push_back(image.url);
    }
  });
  if (!request_.is_streamed) {
    http::Response response;
    response.headers = reply_headers();
    response.headers.add("Content-Type", "application/json");
    response.headers.add("openai-processing-ms", std::to_string(reply.latency.count()));
    response.body = request_.dialect == Dialect::Nebula ? nebula::write_reply(plan_, reply)
                                                        : openai::write_reply(plan_, reply);
    exchange_->respond(std::move(response));
    return;
  }
  auto* s = stream();
  if (s == nullptr) return;
  for (const auto& image : reply.images) {
    auto event = events_->completed(image, reply.effective, reply.created);
    if (&image == &reply.images.back()) {
      s->write_final(std::move(event));
    } else {
      s->write_required(std::move(event));
    }
  }
}

void ImageJob::fail(const Error& error) {
  has_ended_ = true;
  services_.requests.update(call_.request_id, [&](RequestStatus& status) {
    status.state =
        error.kind == ErrorKind::Cancelled ? RequestState::Cancelled : RequestState::Failed;
    status.error = error;
  });
  if (!error.detail.empty()) log::warn("request {}: {}", call_.request_id, error.detail);
  if (has_stream_) {
    if (auto* s = stream()) s->write_final(events_->error(error, now_seconds()));
    return;
  }
  auto context = call_.error_context();
  context.model_requested = request_.model;
  context.may_retry = services_.clock.now() - started_at_ < kLongGeneration;
  exchange_->respond(error_response(error, context));
}

http::ResponseStream* ImageJob::stream() {
  return stream_
      .with([&](std::shared_ptr<http::ResponseStream>& stream) {
        if (!has_stream_.exchange(true)) {
          events_.emplace(plan_);
          auto headers = reply_headers();
          for (const auto& field : http::sse_headers()) headers.set(field.name, field.value);
          stream = exchange_->start_stream(200, std::move(headers), http::sse_stream_options());
        }
        return stream;
      })
      .get();
}

void ImageJob::start_stream_if_silent() {
  if (!has_ended_) stream();
}

http::Headers ImageJob::reply_headers() const {
  http::Headers headers{{"x-request-id", call_.request_id},
                        {"x-limner-model", generation_.model},
                        {"x-limner-seed", std::to_string(generation_.sampling.seed)},
                        {"Cache-Control", "no-store"}};
  for (const auto& note : plan_.notes) headers.add("x-limner-note", note);
  return headers;
}

std::int64_t ImageJob::now_seconds() const {
  return std::chrono::duration_cast<std::chrono::seconds>(
             services_.clock.wall_now().time_since_epoch())
      .count();
}

}  // namespace limner::api
