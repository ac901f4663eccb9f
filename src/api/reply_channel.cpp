#include "api/reply_channel.hpp"

#include <utility>

#include "http/sse.hpp"

namespace limner::api {

ReplyChannel::ReplyChannel(std::shared_ptr<http::Exchange> exchange, Responder respond)
    : exchange_(std::move(exchange)), respond_(std::move(respond)) {}

void ReplyChannel::stream_after(Timer& timer, std::chrono::milliseconds silence,
                                http::Headers headers) {
  timer.after(silence, [weak = weak_from_this(), headers = std::move(headers)] {
    if (auto self = weak.lock()) self->stream(headers);
  });
}

void ReplyChannel::early_headers_after(Timer& timer, std::chrono::milliseconds silence,
                                       http::Headers headers) {
  timer.after(silence, [weak = weak_from_this(), headers = std::move(headers)]() mutable {
    auto self = weak.lock();
    if (!self) return;
    headers.set("Content-Type", "application/json");
    self->begin(headers, {.heartbeat_bytes = " "}, true);
  });
}

std::shared_ptr<http::ResponseStream> ReplyChannel::stream(const http::Headers& headers) {
  auto all = headers;
  for (const auto& field : http::sse_headers()) all.set(field.name, field.value);
  return begin(all, http::sse_stream_options(), false);
}

std::shared_ptr<http::ResponseStream> ReplyChannel::begin(const http::Headers& headers,
                                                          http::StreamOptions options,
                                                          bool is_early) {
  std::lock_guard lock(mutex_);
  if (is_finished_ || has_stream_) return stream_;
  stream_ = exchange_->start_stream(200, headers, std::move(options));
  is_early_ = is_early;
  has_stream_ = true;
  return stream_;
}

void ReplyChannel::finish(Answer answer) {
  {
    std::lock_guard lock(mutex_);
    is_finished_ = true;
    if (!is_early_) {
      respond_(std::move(answer));
      return;
    }
  }
  if (!stream_) return;
  const auto& response = answer.response;
  if (response.status < 400) {
    stream_->write_final(std::string(response.body_text()));
  } else {
    stream_->write_required(std::string(response.body_text()));
    stream_->abort();
  }
  // The exchange has its answer; this one is for those who wait for the same.
  respond_(std::move(answer));
}

}  // namespace limner::api
