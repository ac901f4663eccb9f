#include "api/image_job.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/allowed_models.hpp"
#include "api/nebula/reply.hpp"
#include "api/openai/reply.hpp"
#include "api/picture_text.hpp"
#include "base/log.hpp"
#include "codec/encode.hpp"
#include "http/sse.hpp"

namespace limner::api {
namespace {

constexpr std::chrono::milliseconds kSilenceBeforeStream{10'000};
// After that much work a client must not start the same again by itself.
constexpr std::chrono::seconds kLongGeneration{30};
// Events that wait to be printed; previews beyond are dropped.
constexpr std::size_t kInboxMax = 16;

bool is_last(const GenerationEvent& event) {
  return std::holds_alternative<event::Completed>(event) ||
         std::holds_alternative<event::Failed>(event);
}

// Header values are ASCII; notes may quote what the client sent.
std::string header_text(std::string_view text) {
  constexpr std::size_t kCharsMax = 400;
  std::string safe;
  for (const char c : text.substr(0, kCharsMax)) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte & 0xC0U) == 0x80U) continue;  // the rest of a character that became one '?'
    safe += byte >= 0x20 && byte < 0x7F ? c : '?';
  }
  return safe;
}

bool is_news(const GenerationEvent& event) {
  return std::holds_alternative<event::Queued>(event) ||
         std::holds_alternative<event::Progress>(event);
}

}  // namespace

ImageJob::ImageJob(Services& services, std::shared_ptr<ReplyChannel> channel, CallContext call,
                   ImageRequest request)
    : services_(services),
      channel_(std::move(channel)),
      call_(std::move(call)),
      request_(std::move(request)),
      started_at_(services.clock.now()) {}

ImageJob::~ImageJob() = default;

void ImageJob::start() {
  if (request_.edit_type == EditType::BackgroundRemoval) {
    cut_out();
  } else {
    paint();
  }
}

void ImageJob::paint() {
  auto plan = plan_request(services_, call_, request_);
  if (!plan) return fail(plan.error());
  plan_ = *std::move(plan);
  const auto& first = plan_.by_model.at(plan_.first_model);
  first_headers_ = reply_headers(first);
  events_.emplace(first.reply);
  if (auto registered = register_request(); !registered) return fail(registered.error());
  watch_client();
  auto candidates = std::exchange(plan_.candidates, {});
  auto accepted =
      services_.painter.paint(std::move(candidates), shared_from_this(), stop_.get_token());
  if (!accepted) {
    ticket_.forget();
    return fail(accepted.error());
  }
  hurry_headers();
}

Result<void> ImageJob::register_request() {
  auto ticket = services_.requests.open({.id = call_.request_id,
                                         .job_id = call_.job_id,
                                         .owner = call_.owner(),
                                         .model = plan_.first_model,
                                         .created = now_seconds()},
                                        stop_);
  if (!ticket) return ticket.error();
  ticket_ = *std::move(ticket);
  return {};
}

// Work goes on without its client where the result can still be fetched.
void ImageJob::watch_client() {
  if (call_.keeps_result || !call_.idempotency_key.empty()) return;
  client_gone_.emplace(channel_->exchange()->client_gone(),
                       [stop = stop_]() mutable { stop.request_stop(); });
}

void ImageJob::hurry_headers() {
  if (request_.is_streamed) {
    channel_->stream_after(services_.timer, kSilenceBeforeStream, first_headers_);
  } else if (services_.options.early_headers_after.count() > 0) {
    channel_->early_headers_after(services_.timer, services_.options.early_headers_after,
                                  first_headers_);
  }
}

// Without a model: the picture's subject on transparency.
void ImageJob::cut_out() {
  auto opened =
      OpenedImage::open(std::move(request_.images.front()), services_.limits, &services_.fetcher);
  if (!opened) return fail(opened.error());
  auto image = opened->decode(services_.limits);
  if (!image) return fail(image.error());
  auto subject = cutout::cut_out(*image, services_.matting);
  if (!subject) return fail(subject.error());
  auto plan = plan_cut_out(services_, call_, request_, subject->size);
  events_.emplace(plan);
  auto file = encode(*subject, plan, {});
  if (!file) return fail(file.error());
  FinishedReply reply;
  reply.images.push_back({.index = 0, .seed = 0, .file = *std::move(file)});
  if (auto stored = store(reply, plan); !stored) return fail(stored.error());
  reply.effective.model = services_.matting.name();
  reply.created = now_seconds();
  reply.latency =
      std::chrono::duration_cast<std::chrono::milliseconds>(services_.clock.now() - started_at_);
  first_headers_ = {{"x-request-id", call_.request_id},
                    {"x-limner-job-id", call_.job_id},
                    {"x-limner-model", reply.effective.model},
                    {"Cache-Control", "no-store"}};
  for (const auto& note : plan.notes) first_headers_.add("x-limner-note", header_text(note));
  answer(reply, plan, first_headers_);
}

void ImageJob::emit(GenerationEvent event) {
  note_status(event);
  if (is_news(event) && !(request_.is_streamed && call_.wants_progress)) return;
  const bool starts_reader = inbox_.with([&](Inbox& inbox) {
    if (inbox.events.size() >= kInboxMax && !is_last(event)) return false;
    inbox.events.push_back(std::move(event));
    return !std::exchange(inbox.is_being_read, true);
  });
  if (!starts_reader) return;
  try {
    services_.workers.post([self = shared_from_this()] { self->read_inbox(); });
  } catch (...) {
    // Without memory for this piece of work, a later event may find some.
    inbox_.with([](Inbox& inbox) { inbox.is_being_read = false; });
    throw;
  }
}

void ImageJob::note_status(const GenerationEvent& event) {
  if (const auto* queued = std::get_if<event::Queued>(&event)) {
    ticket_.update([&](RequestStatus& status) {
      status.position = queued->position;
      status.expected_wait = queued->expected_wait;
      status.loading = queued->loading;
    });
  }
  if (const auto* progress = std::get_if<event::Progress>(&event)) {
    ticket_.update([&](RequestStatus& status) {
      status.state = RequestState::Running;
      status.step = progress->step;
      status.step_count = progress->step_count;
    });
  }
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
    // A preview may be lost for want of memory, the end of the request not.
    try {
      std::visit([this](const auto& e) { take(e); }, *event);
    } catch (const std::exception& e) {
      log::error("request {}: {}", call_.request_id, e.what());
      if (is_last(*event)) fail({.kind = ErrorKind::Internal, .message = "the answer was lost"});
    }
  }
}

void ImageJob::take(const event::Queued& queued) {
  if (auto s = channel_->stream(first_headers_)) s->write(events_->queued(queued, now_seconds()));
}

void ImageJob::take(const event::Progress& progress) {
  if (auto s = channel_->stream(first_headers_)) {
    s->write(events_->progress(progress, now_seconds()));
  }
}

void ImageJob::take(const event::Partial& partial) {
  if (!request_.is_streamed) return;
  auto file = encode(partial.image, plan_of(plan_.first_model).reply, {});
  if (!file) {
    log::warn("request {}: a preview was dropped: {}", call_.request_id, file.error().message);
    return;
  }
  auto s = channel_->stream(first_headers_);
  if (!s) return;
  s->write(events_->partial_image(partial.image_index, partial.partial_index, partial.image.size,
                                  *file, now_seconds()));
}

void ImageJob::take(const event::Completed& completed) {
  auto plan = plan_of(completed.effective.model);
  for (const auto& note : completed.effective.notes) plan.reply.notes.push_back(note);
  auto reply = finish(completed, plan);
  if (!reply) return fail(reply.error());
  answer(*reply, plan.reply, reply_headers(plan));
}

void ImageJob::take(const event::Failed& failed) {
  fail(failed.error);
}

const ModelPlan& ImageJob::plan_of(const std::string& model) const {
  const auto it = plan_.by_model.find(model);
  return it == plan_.by_model.end() ? plan_.by_model.at(plan_.first_model) : it->second;
}

Result<std::vector<std::uint8_t>> ImageJob::encode(const Image& image, const ReplyPlan& plan,
                                                   codec::Metadata metadata) const {
  const codec::EncodeOptions options{.format = plan.output_format,
                                     .quality = plan.output_compression,
                                     .metadata = std::move(metadata)};
  const Image* picture = &image;
  Result<Image> subject = Image{};
  if (plan.is_transparent && image.channels != 4) {
    subject = cutout::cut_out(image, services_.matting);
    if (!subject) return subject.error();
    picture = &*subject;
  }
  const auto start = services_.clock.now();
  auto file = codec::encode_image(*picture, options);
  services_.metrics.encoded(codec::to_string(plan.output_format), services_.clock.now() - start);
  return file;
}

// Gives the pictures their addresses, all or none, where they are asked for or shall be found
// later.
Result<void> ImageJob::store(FinishedReply& reply, ReplyPlan& plan) {
  const bool is_asked = !request_.is_streamed && (plan.response_format == ResponseFormat::Url ||
                                                  plan.response_format == ResponseFormat::Both);
  if (!is_asked && !call_.keeps_result) return {};
  for (auto& image : reply.images) {
    auto blob = services_.pictures.put(image.file, codec::mime_type(plan.output_format));
    if (!blob) {
      reply.not_kept = blob.error();
      break;
    }
    image.blob_id = blob->id;
    image.url = fmt::format("{}/v1/images/files/{}.{}", call_.base_url, blob->id,
                            codec::file_extension(plan.output_format));
  }
  if (!reply.not_kept) return {};
  for (auto& image : reply.images) {
    services_.pictures.remove(image.blob_id);
    image.blob_id.clear();
    image.url.clear();
  }
  if (plan.response_format == ResponseFormat::Url) return *reply.not_kept;
  // It was painted and can be sent: only the client that insists on a url has nothing.
  log::warn("request {}: {}: {}", call_.request_id, reply.not_kept->message,
            reply.not_kept->detail);
  plan.notes.push_back("no url: " + reply.not_kept->message);
  return {};
}

Result<FinishedReply> ImageJob::finish(const event::Completed& completed, ModelPlan& plan) {
  FinishedReply reply;
  for (const auto& painted : completed.images) {
    auto file = encode(painted.image, plan.reply,
                       picture_text(plan.generation, completed.effective, painted.seed));
    if (!file) return file.error();
    reply.images.push_back(
        {.index = painted.index, .seed = painted.seed, .file = *std::move(file)});
  }
  if (auto stored = store(reply, plan.reply); !stored) return stored.error();
  reply.effective = completed.effective;
  reply.timings = completed.timings;
  reply.created = now_seconds();
  reply.latency =
      std::chrono::duration_cast<std::chrono::milliseconds>(services_.clock.now() - started_at_);
  return reply;
}

void ImageJob::answer(const FinishedReply& reply, const ReplyPlan& plan,
                      const http::Headers& headers) {
  ticket_.update([&](RequestStatus& status) {
    status.state = RequestState::Completed;
    for (const auto& image : reply.images) {
      if (!image.url.empty()) status.urls.push_back(image.url);
    }
    status.error = reply.not_kept;
  });
  if (request_.is_streamed) return stream_images(reply, plan);
  Answer answer{.response = {.status = 200, .headers = headers, .body = {}}};
  auto& response = answer.response;
  response.headers.add("Content-Type", "application/json");
  response.headers.add("openai-processing-ms", std::to_string(reply.latency.count()));
  response.body = plan.dialect == Dialect::Nebula ? nebula::write_reply(plan, reply)
                                                  : openai::write_reply(plan, reply);
  for (const auto& image : reply.images) {
    if (!image.blob_id.empty()) answer.blob_ids.push_back(image.blob_id);
  }
  channel_->finish(std::move(answer));
}

void ImageJob::stream_images(const FinishedReply& reply, const ReplyPlan& plan) {
  auto s = channel_->stream(first_headers_);
  if (!s) return;
  for (const auto& image : reply.images) {
    auto event = events_->completed(plan, image, reply.effective, reply.created);
    if (&image == &reply.images.back()) {
      s->write_final(std::move(event));
    } else {
      s->write_required(std::move(event));
    }
  }
}

void ImageJob::fail(const Error& error) {
  ticket_.update([&](RequestStatus& status) {
    status.state =
        error.kind == ErrorKind::Cancelled ? RequestState::Cancelled : RequestState::Failed;
    status.error = error;
  });
  if (!error.detail.empty()) log::warn("request {}: {}", call_.request_id, error.detail);
  if (request_.is_streamed && channel_->has_stream()) {
    if (auto s = channel_->stream(first_headers_)) {
      s->write_final(events_->error(error, now_seconds()));
    }
    return;
  }
  auto context = call_.error_context();
  if (error.code == "model_loading") {
    const auto model = find_allowed(services_.painter, call_, request_.model);
    if (model) context.loading = model->loading;
  }
  context.may_retry = services_.clock.now() - started_at_ < kLongGeneration;
  channel_->finish({.response = error_response(error, context)});
}

http::Headers ImageJob::reply_headers(const ModelPlan& plan) const {
  http::Headers headers{{"x-request-id", call_.request_id},
                        {"x-limner-job-id", call_.job_id},
                        {"x-limner-model", header_text(plan.generation.model)},
                        {"x-limner-seed", std::to_string(plan.generation.sampling.seed)},
                        {"Cache-Control", "no-store"}};
  for (const auto& note : plan.reply.notes) headers.add("x-limner-note", header_text(note));
  return headers;
}

std::int64_t ImageJob::now_seconds() const {
  return std::chrono::duration_cast<std::chrono::seconds>(
             services_.clock.wall_now().time_since_epoch())
      .count();
}

}  // namespace limner::api
