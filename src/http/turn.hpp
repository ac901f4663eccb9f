// One request on a connection and what becomes of it: everything but the waiting.
#pragma once

#include <any>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "http/body_budget.hpp"
#include "http/connection.hpp"
#include "http/exchange.hpp"
#include "http/output_queue.hpp"
#include "http/request.hpp"
#include "http/request_head.hpp"
#include "http/response_encoder.hpp"
#include "http/route_table.hpp"
#include "http/server_core.hpp"

namespace limner::http {

// Tells the observer of a stream for as long as it lives.
class StreamNotice {
 public:
  explicit StreamNotice(ServerObserver& observer) : observer_(observer) {
    observer_.stream_opened();
  }
  ~StreamNotice() { observer_.stream_closed(); }
  StreamNotice(const StreamNotice&) = delete;
  StreamNotice& operator=(const StreamNotice&) = delete;

 private:
  ServerObserver& observer_;
};

struct Turn {
  explicit Turn(const ServerCore& server);

  // Parses and checks; on failure `answer` holds the refusal.
  void take_head(std::string_view raw_head, const Peer& peer);
  // Sets `route`, `context` and `owner`, or `answer` when no handler is to run.
  void find_route(const Peer& peer);
  void call_handler(std::shared_ptr<Exchange> exchange) const;
  // Makes `error` the answer.
  void fail(const Error& error);
  // The handler let go without an answer.
  void fail_unanswered();
  // There is no memory to keep the handler's answer until the client takes it.
  void fail_too_much();

  // Into the order of sending. `head.body` is not sent by queue_head.
  void queue_head(OutputQueue& output, Response& head);
  void queue_whole(OutputQueue& output, Response response);
  void queue_piece(OutputQueue& output, std::string piece) const;
  // Something that a client which waits for its answer does not notice, once: the kernel of one
  // that closed answers it with a reset. Nothing else tells closing from shutting down one side.
  void queue_probe(OutputQueue& output, const StreamOptions& options);

  bool is_head_only() const { return request.method == "HEAD"; }
  RequestSummary summary() const;

  const ServerCore& core;
  RequestParser parser;
  Request request;
  std::string page_origin;  // of the web page that may read the answer; the handler takes `request`
  Framing framing = NoBody{};
  TimePoint started{};
  const Route* route = nullptr;
  PathParameters parameters;
  std::any context;
  std::string owner;  // whose share of the budgets this takes; empty: nobody's
  BodyLease body_memory;
  std::size_t body_bytes_in = 0;
  bool keeps_alive = false;
  std::optional<Response> answer;  // ours, instead of a handler's

  // What went out.
  int status = 0;
  AnswerLength length = AnswerLength::Known;
  TimePoint last_sent{};
  bool was_aborted = false;
  bool has_probed = false;
  std::size_t bytes_out = 0;
  std::optional<StreamNotice> stream;

 private:
  void ask_hook();
  bool is_refused_for_load(const Peer& peer);
  bool has_sent_start_ = false;  // of the answer
};

}  // namespace limner::http
