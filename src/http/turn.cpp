#include "http/turn.hpp"

#include <ctime>
#include <exception>
#include <utility>

#include <fmt/format.h>

#include "base/log.hpp"
#include "http/cors.hpp"
#include "http/url.hpp"

namespace limner::http {
namespace {

Error internal_error(std::string detail) {
  return {.kind = ErrorKind::Internal,
          .message = "the server failed to answer this request",
          .code = "internal_error",
          .detail = std::move(detail)};
}

}  // namespace

Turn::Turn(const ServerCore& server) : core(server), parser(server.options.head) {}

void Turn::take_head(std::string_view raw_head, const PeerAddress& peer) {
  request.remote_address = peer.host;
  request.remote_port = peer.port;
  auto parsed = parser.parse_head(raw_head);
  const auto& head = parser.head();
  request.method = head.method;
  request.target = head.target;
  request.version_minor = head.version_minor;
  request.headers = head.headers;
  page_origin = allowed_origin(core.options.cors_origins, request);
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

void Turn::find_route() {
  auto found = core.routes.find(request.method, request.segments);
  const bool asks_options = request.method == "OPTIONS";
  if (asks_options && request.target == "*") {
    answer = Response{.status = 204, .headers = {}, .body = {}};
    return;
  }
  if (std::holds_alternative<NoSuchPath>(found)) {
    return fail({.kind = ErrorKind::NotFound,
                 .message = fmt::format("there is no {} {}", request.method, request.path),
                 .code = "unknown_path"});
  }
  if (const auto* other = std::get_if<NoSuchMethod>(&found)) {
    if (asks_options) {
      answer = is_preflight(request)
                   ? preflight_answer(other->allow)
                   : Response{.status = 204, .headers = {{"Allow", other->allow}}, .body = {}};
      return;
    }
    fail({.kind = ErrorKind::MethodNotAllowed,
          .message = fmt::format("{} is not allowed for {}, only {}", request.method, request.path,
                                 other->allow),
          .code = "method_not_allowed"});
    answer->headers.set("Allow", other->allow);
    return;
  }
  auto& match = std::get<RouteMatch>(found);
  route = match.route;
  parameters = std::move(match.parameters);
  if (route->on_head) ask_hook();
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
    context = std::move(std::get<std::any>(decision));
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
  answer = core.make_error_response(error, request);
}

void Turn::fail_unanswered() {
  fail(internal_error(fmt::format("{}: dropped unanswered", route->pattern)));
}

void Turn::queue_head(OutputQueue& output, Response& head) {
  if (!is_sendable(head.headers)) {
    log::error("http: an answer of {} has a header that cannot be sent",
               route ? route->pattern : "the server itself");
    head = Response{.status = 500, .headers = {}, .body = {}};
  }
  add_cors_headers(core.options.cors_origins, page_origin, head.headers);
  status = head.status;
  keeps_alive = keeps_alive && !core.is_draining;
  output.add(encode_head(head, {.length = length,
                                .version_minor = request.version_minor,
                                .keeps_alive = keeps_alive,
                                .now = std::time(nullptr)}));
}

void Turn::queue_whole(OutputQueue& output, Response response) {
  length = AnswerLength::Known;
  queue_head(output, response);
  if (!is_head_only()) output.add(std::move(response.body));
}

void Turn::queue_piece(OutputQueue& output, std::string piece) const {
  if (length != AnswerLength::Chunked) return output.add(std::move(piece));
  output.add(chunk_head(piece.size()));
  output.add(std::move(piece));
  output.add(kChunkEnd);
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
