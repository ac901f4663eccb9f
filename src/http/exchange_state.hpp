// What a handler's threads and a connection share: the request, and the answer on its way out.
// Knows no socket.
#pragma once

#include <any>
#include <cstddef>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/guarded.hpp"
#include "http/body_budget.hpp"
#include "http/byte_budget.hpp"
#include "http/exchange.hpp"
#include "http/request.hpp"
#include "http/route_table.hpp"

namespace limner::http {

class ExchangeState : public std::enable_shared_from_this<ExchangeState> {
 public:
  struct Setup {
    Request request;
    PathParameters parameters = {};
    std::any context = {};
    BodyLease body_memory = {};
    ByteLease answer_memory = {};
    std::size_t buffer_bytes_max = 0;
    // Asks the connection to call take(); from any thread.
    std::function<void()> wake = {};
  };
  explicit ExchangeState(Setup setup);

  // For the handler. The exchange counts as abandoned when this is dropped unanswered.
  std::shared_ptr<Exchange> make_handle();

  // What is new since the last call, for the connection to send.
  struct Output {
    std::optional<Response> head;  // first of all; whole answer unless is_stream
    bool is_stream = false;
    StreamOptions stream_options;
    std::vector<std::string> pieces;
    bool is_closed = false;     // nothing follows
    bool is_aborted = false;    // reset the connection
    bool is_abandoned = false;  // the handler let go without an answer
    bool is_too_much = false;   // there is no memory for the handler's answer
  };
  Output take();
  // That many bytes of pieces have left: there is room for more.
  void sent(std::size_t size_bytes);
  // The peer is gone. May run the handler's stop callbacks.
  void signal_gone() { gone_.request_stop(); }
  // The connection takes nothing more; wake is never called again.
  void detach();

 private:
  class Handle;
  class Stream;

  struct Shared {
    std::optional<Response> head;
    StreamOptions stream_options;
    std::vector<std::string> pieces;
    std::size_t buffered_bytes = 0;  // queued or being sent
    bool is_answered = false;
    bool is_stream = false;
    bool is_closed = false;
    bool is_aborted = false;
    bool is_abandoned = false;
    bool is_too_much = false;
    ByteLease memory;  // of what waits for the client
    std::function<void()> wake;
  };

  enum class Loss { Allowed, Forbidden };

  bool answer(Response head, std::optional<StreamOptions> stream);
  bool write(std::string piece, Loss loss);
  void close();
  void abort();
  void abandon();

  Request request_;
  const PathParameters parameters_;
  const std::any context_;
  BodyLease body_memory_;
  const std::size_t buffer_bytes_max_;
  std::stop_source gone_;
  Guarded<Shared> shared_;
};

}  // namespace limner::http
