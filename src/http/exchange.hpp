// One request and its answer, as a handler sees them. Interfaces, so that a dialect can be tested
// without a socket.
#pragma once

#include <any>
#include <chrono>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

#include "http/headers.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace limner::http {

struct StreamOptions {
  // Sent whenever the stream was silent for `heartbeat_interval`; empty: never. For SSE a comment.
  std::string heartbeat_bytes = {};
  std::chrono::milliseconds heartbeat_interval{15'000};
};

// An answer sent piece by piece: chunked in HTTP/1.1, ended by closing in 1.0. Every function may
// be called from any thread and none waits. Dropping the stream unfinished aborts it.
class ResponseStream {
 public:
  virtual ~ResponseStream() = default;
  // False: the piece did not fit into the client's buffer and was dropped, or nobody listens.
  virtual bool write(std::string piece) = 0;
  // For what must not be lost: goes beyond the buffer's limit. False: nobody listens.
  virtual bool write_required(std::string piece) = 0;
  // write_required and close in one.
  virtual bool write_final(std::string piece) = 0;
  virtual void close() = 0;
  // Resets the connection, so that nobody takes what came so far for the whole.
  virtual void abort() = 0;
};

class Exchange {
 public:
  virtual ~Exchange() = default;

  virtual const Request& request() const = 0;
  // Moves the body out, so that memory and disk are freed before a long job. The handler's alone.
  virtual Body take_body() = 0;
  // The decoded `{name}` of the matched route; empty when the route has none of that name.
  virtual std::string_view path_parameter(std::string_view name) const = 0;
  // What the route's on_head hook found out, for instance the principal.
  virtual const std::any& context() const = 0;

  // The first answer counts: false when there was one already. Any thread; never waits.
  virtual bool respond(Response response) = 0;
  // Null when there was an answer already. To HEAD only the head is sent.
  virtual std::shared_ptr<ResponseStream> start_stream(int status, Headers headers,
                                                       StreamOptions options = {}) = 0;
  virtual bool responded() const = 0;

  // Fires, on an I/O thread, when the peer closed, reset, or took nothing for the stall time. Not
  // when it only shut down its sending side: then it waits for its answer.
  virtual std::stop_token client_gone() const = 0;
};

// Runs on an I/O thread and must not block. An exchange dropped without an answer becomes a 500.
using Handler = std::function<void(std::shared_ptr<Exchange>)>;

}  // namespace limner::http
