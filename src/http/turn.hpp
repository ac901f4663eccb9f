// One request on a connection and what becomes of it: everything but the waiting.
#pragma once

#include <any>
#include <chrono>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.hpp"
#include "http/connection.hpp"
#include "http/memory_budget.hpp"
#include "http/output_queue.hpp"
#include "http/request.hpp"
#include "http/request_head.hpp"
#include "http/response_encoder.hpp"
#include "http/route_table.hpp"
#include "http/server_core.hpp"

namespace limner::http {

struct Turn {
  explicit Turn(const ServerCore& server);

  // Parses and checks; on failure `answer` holds the refusal.
  void take_head(std::string_view raw_head, const PeerAddress& peer);
  // Sets `route` and `context`, or `answer` when no handler is to run.
  void find_route();
  void call_handler(std::shared_ptr<Exchange> exchange) const;
  // Makes `error` the answer.
  void fail(const Error& error);
  // The handler let go without an answer.
  void fail_unanswered();

  // Into the order of sending. `head.body` is not sent by queue_head.
  void queue_head(OutputQueue& output, Response& head);
  void queue_whole(OutputQueue& output, Response response);
  void queue_piece(OutputQueue& output, std::string piece) const;

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
  MemoryLease body_memory;
  std::size_t body_bytes_in = 0;
  bool keeps_alive = false;
  std::optional<Response> answer;  // ours, instead of a handler's

  // What went out.
  int status = 0;
  AnswerLength length = AnswerLength::Known;
  TimePoint last_sent{};
  bool was_aborted = false;
  std::size_t bytes_out = 0;

 private:
  void ask_hook();
};

}  // namespace limner::http
