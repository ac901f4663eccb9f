// A whole connection without its socket: heads, bodies in chunks and forms, requests behind each
// other. What is answered does not depend on how the bytes were cut, and nothing is left over. The
// first byte chooses the cuts.
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <vector>

#include "base/check.hpp"
#include "http/request_head.hpp"
#include "unit/http/memory_peer.hpp"

namespace {

using namespace limner;
using namespace limner::http;

// Small, so that short inputs reach them.
constexpr MultipartLimits kForm{.body_bytes_max = 2'048,
                                .part_bytes_max = 1'024,
                                .parts_max = 4,
                                .part_head_bytes_max = 128,
                                .spill_bytes = 4'096};

// Marked, so that a refusal of the server itself can be told from a handler's answer.
Response refusal(const Error& error, const Request&) {
  return {.status = finer_status(error).value_or(400),
          .headers = {{"X-Refusal", "1"}},
          .body = error.code};
}

std::string describe(const Request& request) {
  std::string text = request.method + " " + request.path;
  for (const auto& parameter : request.query) text += "?" + parameter.name + "=" + parameter.value;
  text += "\n";
  text += request.body_bytes();
  if (const auto* parts = request.parts()) {
    for (const auto& part : *parts) {
      text += "[" + part.name + "|" + part.filename + "|" + part.content_type + "|";
      text += std::string(part.content.text()) + "]";
    }
  }
  return text;
}

RouteTable make_routes() {
  const auto echo = [](const std::shared_ptr<Exchange>& exchange) {
    exchange->respond({.status = 200, .headers = {}, .body = describe(exchange->request())});
  };
  const auto stream = [](const std::shared_ptr<Exchange>& exchange) {
    const auto events = exchange->start_stream(200, {}, {.heartbeat_bytes = ": hi\n\n"});
    events->write("one");
    events->write_final("two");
  };
  RouteTable routes;
  routes.add({.method = "GET", .pattern = "/{path...}", .handler = echo});
  routes.add({.method = "GET", .pattern = "/s", .handler = stream});
  routes.add({.method = "POST",
              .pattern = "/p",
              .handler = echo,
              .body = BodyPolicy::json_or_form(1'024, kForm)});
  return routes;
}

void erase_all(std::string& text, std::string_view begin, std::string_view end) {
  for (auto at = text.find(begin); at != text.npos; at = text.find(begin, at)) {
    text.erase(at, text.find(end, at) + end.size() - at);
  }
}

// Everything that the server sent, but for the time of day and for "100 Continue", which is left
// out where the body has come already.
std::string serve(const std::vector<std::string_view>& pieces) {
  ServerOptions options;
  options.head = {.head_bytes_max = 512, .fields_max = 8, .target_bytes_max = 128};
  MemoryServer server(options, make_routes(), refusal);
  auto client = server.connect();
  for (const auto piece : pieces) client.send(piece);
  client.end();
  server.run();
  LIMNER_CHECK(server.connection_count() == 0, "a connection outlives its client");
  LIMNER_CHECK(server.core().answer_budget->used() == 0, "an answer's memory is not given back");
  LIMNER_CHECK(server.core().body_budget.used() == 0, "a body's memory is not given back");
  std::string sent = client.received();
  erase_all(sent, "HTTP/1.1 100 Continue", "\r\n\r\n");
  erase_all(sent, "Date: ", "\r\n");
  return sent;
}

std::vector<std::string_view> cut(std::string_view bytes, unsigned seed) {
  std::minstd_rand random(seed + 1);
  std::vector<std::string_view> pieces;
  while (!bytes.empty()) {
    const std::size_t size = seed == 0 ? 1 : random() % (seed < 128 ? 8 : 64) + 1;
    pieces.push_back(bytes.substr(0, size));
    bytes.remove_prefix(std::min(size, bytes.size()));
  }
  return pieces;
}

// Up to the first refusal, which ends a connection: of two faults either may be met first.
std::string_view good_part(std::string_view sent, bool& is_refused) {
  const auto refusal_at = sent.find("\r\nX-Refusal: 1");
  is_refused = refusal_at != sent.npos;
  return is_refused ? sent.substr(0, sent.rfind("HTTP/1.1 ", refusal_at)) : sent;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const auto whole = serve({bytes});
  const auto pieces = serve(cut(bytes, data[0]));
  bool is_whole_refused = false;
  bool are_pieces_refused = false;
  const auto good_whole = good_part(whole, is_whole_refused);
  const auto good_pieces = good_part(pieces, are_pieces_refused);
  LIMNER_CHECK(is_whole_refused == are_pieces_refused, "the cuts decide what is refused");
  LIMNER_CHECK(good_whole == good_pieces, "the cuts change the answers");
  return 0;
}
