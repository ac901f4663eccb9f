#include "http/turn.hpp"

#include <ctime>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "base/printable.hpp"
#include "http/client_address.hpp"
#include "http/cors.hpp"
#include "http/url.hpp"

namespace limner::http {
namespace {

// Of a method or path that a message repeats.
constexpr std::size_t kShownBytes = 200;

Error internal_error(std::string detail) {
  return {.kind = ErrorKind::Internal,
          .message = "the server failed to answer this request",
          .code = "internal_error",
          .detail = std::move(detail)};
}

Error too_many_answers() {
  return {.kind = ErrorKind::Unavailable,
          .message = "too many answers wait for their readers, try again",
          .code = "overloaded",
          .retry_after = std::chrono::seconds(5)};
}

}  // namespace

Turn::Turn(const ServerCore& server) : core(server), parser(server.options.head) {}

void Turn::take_head(std::string_view raw_head, const Peer& peer) {
  request.remote_address = peer.host;
  request.remote_port = peer.port;
  auto parsed = parser.parse_head(raw_head);
  const auto& head = parser.head();
  request.method = head.method;
  request.target = head.target;
  request.version_minor = head.version_minor;
  request.headers = head.headers;
  page_origin = allowed_origin(core.options.cors, request);
  if (!parsed) return fail(parsed.error());
  framing = *parsed;
  keeps_alive = head.version_minor == 1 ? !head.headers.has_token("Connection", "close")
                                        : head.headers.has_token("Connection", "keep-alive");
  auto target = parse_target(head.target);
  if (!target) return fail(target.error());
  request.path = std::move(target->path);
  request.segments = std::move(target->segments);
  request.query = std::move(target->query);
}

void Turn::find_route(const Peer& peer) {
  auto found = core.routes.find(request.method, request.segments);
  const bool asks_options = request.method == "OPTIONS";
  if (asks_options && request.target == "*") {
    answer = Response{.status = 204, .headers = {}, .body = {}};
    return;
  }
  if (std::holds_alternative<NoSuchPath>(found)) {
    return fail({.kind = ErrorKind::NotFound,
                 .message = fmt::format("there is no {} {}", printable(request.method, kShownBytes),
                                        printable(request.path, kShownBytes)),
                 .code = "unknown_path"});
  }
  if (const auto* other = std::get_if<NoSuchMethod>(&found)) {
    if (asks_options) {
      answer = is_preflight(request)
                   ? preflight_answer(core.options.cors, other->allow)
                   : Response{.status = 204, .headers = {{"Allow", other->allow}}, .body = {}};
      return;
    }
    fail({.kind = ErrorKind::MethodNotAllowed,
          .message = fmt::format("{} is not allowed for {}, only {}",
                                 printable(request.method, kShownBytes),
                                 printable(request.path, kShownBytes), other->allow),
          .code = "method_not_allowed"});
    answer->headers.set("Allow", other->allow);
    return;
  }
  auto& match = std::get<RouteMatch>(found);
  route = match.route;
  parameters = std::move(match.parameters);
  if (is_refused_for_load(peer)) return;
  owner = body_owner(peer, request.headers);
  if (route->on_head) ask_hook();
}

// Work is refused before it is done when what is done already waits for its readers.
bool Turn::is_refused_for_load(const Peer& peer) {
  if (peer.admission == Admission::VitalOnly && !route->is_vital) {
    core.observer.connection_refused();
    fail(too_many_connections());
    return true;
  }
  const auto& answers = *core.answer_budget;
  const bool causes_work = route->body.takes_json || route->body.takes_multipart;
  if (!causes_work || answers.used() <= answers.total_max() / 4 * 3) return false;
  fail(too_many_answers());
  return true;
}

void Turn::ask_hook() {
  HeadDecision decision;
  try {
    decision = route->on_head(request);
  } catch (const std::exception& e) {
    return fail(internal_error(fmt::format("{}: {}", route->pattern, e.what())));
  }
  if (auto* early = std::get_if<Response>(&decision)) {
    answer = std::move(*early);
  } else {
    auto& admitted = std::get<Admitted>(decision);
    context = std::move(admitted.context);
    if (!admitted.owner.empty()) owner = "key " + admitted.owner;
  }
}

void Turn::call_handler(std::shared_ptr<Exchange> exchange) const {
  try {
    route->handler(std::move(exchange));
  } catch (const std::exception& e) {
    // The exchange was dropped on the way here: its 500 is under way.
    log::error("http: the handler of {} failed: {}", route->pattern, e.what());
  }
}

void Turn::fail(const Error& error) {
  if (!error.detail.empty()) log::warn("http: {} ({})", error.message, error.detail);
  answer = core.format_error(error, request);
}

void Turn::fail_unanswered() {
  fail(internal_error(fmt::format("{}: dropped unanswered", route->pattern)));
}

void Turn::fail_too_much() {
  fail(too_many_answers());
}

void Turn::queue_head(OutputQueue& output, Response& head) {
  if (!is_sendable(head.headers)) {
    log::error("http: an answer of {} has a header that cannot be sent",
               route ? route->pattern : "the server itself");
    head = Response{.status = 500, .headers = {}, .body = {}};
  }
  add_cors_headers(core.options.cors, page_origin, head.headers);
  status = head.status;
  keeps_alive = keeps_alive && !core.is_draining;
  auto bytes = encode_head(head, {.length = length,
                                  .version_minor = request.version_minor,
                                  .keeps_alive = keeps_alive,
                                  .now = std::time(nullptr)});
  if (has_sent_start_) bytes.erase(0, kAnswerStart.size());
  output.add(std::move(bytes));
}

void Turn::queue_whole(OutputQueue& output, Response response) {
  length = AnswerLength::Known;
  queue_head(output, response);
  if (is_head_only()) return;
  std::visit([&](auto& bytes) { output.add(std::move(bytes)); }, response.body);
}

void Turn::queue_piece(OutputQueue& output, std::string piece) const {
  if (length != AnswerLength::Chunked) return output.add(std::move(piece));
  output.add(chunk_head(piece.size()));
  output.add(std::move(piece));
  output.add(kChunkEnd);
}

void Turn::queue_probe(OutputQueue& output, const StreamOptions& options) {
  if (std::exchange(has_probed, true)) return;
  if (status == 0) {
    has_sent_start_ = true;
    output.add(std::string(kAnswerStart));
  } else if (!options.heartbeat_bytes.empty() && !is_head_only()) {
    queue_piece(output, options.heartbeat_bytes);
  }
}

RequestSummary Turn::summary() const {
  constexpr int kClientGone = 499;
  return {.method = request.method,
          .route = route ? std::string_view(route->pattern) : std::string_view(),
          .status = status == 0 ? kClientGone : status,
          .was_aborted = was_aborted,
          .body_bytes_in = body_bytes_in,
          .bytes_out = bytes_out,
          .duration = std::chrono::steady_clock::now() - started};
}

}  // namespace limner::http
