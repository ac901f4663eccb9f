#include "http/request_head.hpp"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.hpp"

namespace limner::http {
namespace {

struct CodeStatus {
  std::string_view code;
  int status;
};
constexpr CodeStatus kFinerStatuses[] = {
    {"request_target_too_long", 414},    {"expectation_failed", 417},
    {"request_head_too_large", 431},     {"unsupported_transfer_encoding", 501},
    {"http_version_not_supported", 505},
};

Error bad_head(std::string message, std::string_view code = "invalid_request_head") {
  return {
      .kind = ErrorKind::InvalidArgument, .message = std::move(message), .code = std::string(code)};
}

bool is_token_char(char c) {
  constexpr std::string_view kPunctuation = "!#$%&'*+-.^_`|~";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kPunctuation.find(c) != kPunctuation.npos;
}

bool is_host_char(char c) {
  constexpr std::string_view kPunctuation = "-._~:[]%";
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
         kPunctuation.find(c) != kPunctuation.npos;
}

Result<void> check_host(const RequestHead& head) {
  const auto hosts = head.headers.get_all("Host");
  if (hosts.empty() && head.version_minor == 0) return {};
  if (hosts.size() != 1) {
    return bad_head(fmt::format("Host: got {} fields, expected exactly one", hosts.size()));
  }
  if (hosts[0].empty() || !std::all_of(hosts[0].begin(), hosts[0].end(), is_host_char)) {
    return bad_head("Host: expected a name or an address, and a port when it is not the usual one");
  }
  return {};
}

Result<Framing> check_framing(const RequestHead& head) {
  const auto encodings = head.headers.get_all("Transfer-Encoding");
  const auto lengths = head.headers.get_all("Content-Length");
  if (!encodings.empty() && !lengths.empty() && equals_ignoring_case(encodings[0], "chunked")) {
    return bad_head("Content-Length and Transfer-Encoding: only one of the two is allowed");
  }
  if (encodings.size() > 1) {
    return bad_head("Transfer-Encoding: got several fields, expected one");
  }
  if (!encodings.empty() && !equals_ignoring_case(encodings[0], "chunked")) {
    return bad_head("Transfer-Encoding: only \"chunked\" is supported",
                    "unsupported_transfer_encoding");
  }
  if (!encodings.empty() && head.version_minor == 0) {
    return bad_head("Transfer-Encoding: HTTP/1.0 has no chunked bodies");
  }
  if (!encodings.empty()) return Framing(ChunkedBody{});
  if (lengths.empty()) return Framing(NoBody{});
  if (lengths.size() > 1) return bad_head("Content-Length: got several fields, expected one");
  std::uint64_t size = 0;
  const auto* const end = lengths[0].data() + lengths[0].size();
  const auto parsed = std::from_chars(lengths[0].data(), end, size);
  if (parsed.ec != std::errc() || parsed.ptr != end) {
    return bad_head("Content-Length: expected one decimal number");
  }
  if (size == 0) return Framing(NoBody{});
  return Framing(SizedBody{size});
}

}  // namespace

std::optional<int> finer_status(const Error& error) {
  for (const auto& known : kFinerStatuses) {
    if (known.code == error.code) return known.status;
  }
  return std::nullopt;
}

Result<std::size_t> find_head_end(std::string_view bytes, const HeadLimits& limits) {
  if (bytes.empty()) return std::size_t{0};
  if (!is_token_char(bytes[0])) return bad_head("this is not an HTTP/1.1 request");
  const auto end = bytes.find("\r\n\r\n");
  const auto line_end = bytes.find('\n');
  // "METHOD TARGET VERSION": the target is too long long before the line has ended.
  const auto line = bytes.substr(0, line_end);
  const auto space = line.find(' ');
  const auto target = space == line.npos ? std::string_view{} : line.substr(space + 1);
  if (std::min(target.find(' '), target.size()) > limits.target_bytes_max) {
    return bad_head(fmt::format("request target: more than {} bytes", limits.target_bytes_max),
                    "request_target_too_long");
  }
  const auto head_size = end == bytes.npos ? bytes.size() : end + 4;
  if (head_size > limits.head_bytes_max) {
    return bad_head(fmt::format("request head: more than {} bytes", limits.head_bytes_max),
                    "request_head_too_large");
  }
  const auto head = bytes.substr(0, head_size);
  for (auto lf = head.find('\n'); lf != head.npos; lf = head.find('\n', lf + 1)) {
    if (lf == 0 || head[lf - 1] != '\r') return bad_head("request head: a line ends without CR");
  }
  return end == bytes.npos ? std::size_t{0} : head_size;
}

Result<Framing> check_head(const RequestHead& head, std::string_view raw_head) {
  for (auto at = raw_head.find("\r\n"); at != raw_head.npos; at = raw_head.find("\r\n", at + 2)) {
    const char first = at + 2 < raw_head.size() ? raw_head[at + 2] : '\0';
    if (first == ' ' || first == '\t') return bad_head("request head: folded lines are obsolete");
  }
  if (auto host = check_host(head); !host) return host.error();
  auto framing = check_framing(head);
  if (!framing) return framing;
  const auto expectations = head.headers.get_all("Expect");
  if (head.version_minor == 1 && !expectations.empty() &&
      (expectations.size() > 1 || !equals_ignoring_case(expectations[0], "100-continue"))) {
    return bad_head("Expect: only \"100-continue\" is supported", "expectation_failed");
  }
  return framing;
}

}  // namespace limner::http
