// How one answer leaves: as one piece, as a stream of events, or as one piece behind early headers.
#pragma once

#include <atomic>
#include <chrono>
#include <memory>
#include <mutex>

#include "api/answer.hpp"
#include "api/timer.hpp"
#include "http/exchange.hpp"

namespace limner::api {

// Functions may be called from any thread; each says in its name what happens to headers that were
// not sent yet.
class ReplyChannel : public std::enable_shared_from_this<ReplyChannel> {
 public:
  using Responder = std::function<void(Answer)>;

  // `respond` sends a whole answer, to this exchange and perhaps to others who wait for the same.
  ReplyChannel(std::shared_ptr<http::Exchange> exchange, Responder respond);

  const std::shared_ptr<http::Exchange>& exchange() const { return exchange_; }

  // Begins the event stream after this silence, so that proxies and clients see that we live;
  // before that a failure can still be a plain answer with its own status.
  void stream_after(Timer& timer, std::chrono::milliseconds silence, http::Headers headers);
  // For clients that give up without headers: 200 and a blank now and then, which JSON allows.
  void early_headers_after(Timer& timer, std::chrono::milliseconds silence, http::Headers headers);

  // The event stream, begun if need be. Null when the client is gone or was answered.
  std::shared_ptr<http::ResponseStream> stream(const http::Headers& headers);
  bool has_stream() const { return has_stream_; }

  // The whole answer. Behind early headers an error cannot change the status any more: its body is
  // sent and the connection reset, so that nobody takes it for success.
  void finish(Answer answer);

 private:
  std::shared_ptr<http::ResponseStream> begin(const http::Headers& headers,
                                              http::StreamOptions options, bool is_early);

  const std::shared_ptr<http::Exchange> exchange_;
  const Responder respond_;
  std::atomic<bool> has_stream_ = false;
  std::mutex mutex_;
  bool is_finished_ = false;
  bool is_early_ = false;
  std::shared_ptr<http::ResponseStream> stream_;  // shared with its connection
};

}  // namespace limner::api
