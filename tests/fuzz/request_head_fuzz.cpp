// Bytes of a connection: a head is refused, or means the same to everybody; a body decodes the same
// whole and in pieces. The first byte chooses the size of the pieces.
#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "base/utf8.hpp"
#include "http/request_head.hpp"
#include "http/url.hpp"

namespace {

using namespace limner::http;

struct TextSink final : RequestParser::BodySink {
  limner::Result<void> announce(std::uint64_t) override { return {}; }
  limner::Result<void> put(std::string_view piece) override {
    text += piece;
    return {};
  }
  std::size_t size() const override { return text.size(); }
  std::string text;
};

std::string decode_body(std::string_view head, std::string_view body, std::size_t piece_size) {
  RequestParser parser(HeadLimits{});
  LIMNER_CHECK(parser.parse_head(head).has_value());
  TextSink sink;
  std::string pending;
  while (!parser.is_complete()) {
    if (body.empty()) return "incomplete";
    pending += body.substr(0, piece_size);
    body.remove_prefix(std::min(piece_size, body.size()));
    const auto used = parser.parse_body(pending, sink);
    if (!used) return "error";
    LIMNER_CHECK(*used <= pending.size());
    pending.erase(0, *used);
  }
  return "body " + sink.text + "\n" + pending + std::string(body);
}

void check_accepted(const RequestHead& head, const Framing& framing) {
  const auto& headers = head.headers;
  LIMNER_CHECK(head.version_minor == 0 || headers.count("Host") == 1);
  LIMNER_CHECK(headers.count("Content-Length") + headers.count("Transfer-Encoding") <= 1);
  LIMNER_CHECK(std::holds_alternative<ChunkedBody>(framing) == headers.has("Transfer-Encoding"));
  for (const auto& field : headers) {
    LIMNER_CHECK(field.name.find('_') == field.name.npos);
    LIMNER_CHECK(field.value.find_first_of(std::string_view("\r\n\0", 3)) == field.value.npos);
  }
  const auto target = parse_target(head.target);
  if (!target) return;
  for (const auto& segment : target->segments) {
    LIMNER_CHECK(!segment.empty() && segment != "." && segment != "..");
    LIMNER_CHECK(limner::is_valid_utf8(segment) && segment.find('\0') == segment.npos);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const std::string_view bytes(reinterpret_cast<const char*>(data) + 1, size - 1);
  const HeadLimits limits;
  const auto head_size = find_head_end(bytes, limits);
  if (!head_size || *head_size == 0) return 0;
  const auto raw_head = bytes.substr(0, *head_size);
  RequestParser parser(limits);
  const auto framing = parser.parse_head(raw_head);
  if (!framing) return 0;
  check_accepted(parser.head(), *framing);
  const auto body = bytes.substr(*head_size);
  const auto whole = decode_body(raw_head, body, std::max<std::size_t>(body.size(), 1));
  const auto pieces = decode_body(raw_head, body, std::size_t{data[0]} + 1);
  LIMNER_CHECK(whole == pieces, "the pieces of a body change its meaning");
  return 0;
}
