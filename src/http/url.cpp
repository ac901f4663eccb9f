#include "http/url.hpp"

#include <cstdint>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace limner::http {
namespace {

Error bad_target(std::string message) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = std::move(message),
          .code = "invalid_request_target"};
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Also within one segment: an encoded slash must not hide a way up from whoever joins paths later.
bool has_dot_component(std::string_view segment) {
  while (true) {
    const auto end = segment.find_first_of("/\\");
    const auto component = segment.substr(0, end);
    if (component == "." || component == "..") return true;
    if (end == segment.npos) return false;
    segment.remove_prefix(end + 1);
  }
}

Result<std::vector<QueryParameter>> parse_query(std::string_view text) {
  std::vector<QueryParameter> query;
  while (!text.empty()) {
    const auto end = text.find('&');
    const auto pair = text.substr(0, end);
    text = end == text.npos ? std::string_view{} : text.substr(end + 1);
    if (pair.empty()) continue;
    const auto equals = pair.find('=');
    auto name = percent_decode(pair.substr(0, equals), Plus::IsSpace, "query");
    if (!name) return name.error();
    auto value =
        percent_decode(equals == pair.npos ? "" : pair.substr(equals + 1), Plus::IsSpace, "query");
    if (!value) return value.error();
    query.push_back({std::move(*name), std::move(*value)});
  }
  return query;
}

Result<Target> parse_path(std::string_view path) {
  Target target;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    const auto end = path.find('/');
    const auto raw = path.substr(0, end);
    path = end == path.npos ? std::string_view{} : path.substr(end);
    if (raw.empty()) continue;
    auto segment = percent_decode(raw, Plus::IsPlus, "path");
    if (!segment) return segment.error();
    if (has_dot_component(*segment)) return bad_target("path: \".\" and \"..\" are not allowed");
    target.path.append("/").append(*segment);
    target.segments.push_back(std::move(*segment));
  }
  if (target.path.empty()) target.path.push_back('/');
  return target;
}

// "http://host/a?b" → "/a?b".
Result<std::string_view> strip_authority(std::string_view target) {
  const auto scheme_end = target.find("://");
  const auto scheme = target.substr(0, scheme_end);
  if (scheme_end == target.npos ||
      (!equals_ignoring_case(scheme, "http") && !equals_ignoring_case(scheme, "https"))) {
    return bad_target("request target: expected a path that begins with \"/\"");
  }
  const auto rest = target.substr(scheme_end + 3);
  const auto authority_end = rest.find_first_of("/?");
  if (authority_end == 0 || rest.empty()) return bad_target("request target: the host is missing");
  if (authority_end == rest.npos) return std::string_view("/");
  return rest.substr(authority_end);
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, Plus plus, std::string_view what) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '+' && plus == Plus::IsSpace) c = ' ';
    if (c == '%') {
      const int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      const int low = high >= 0 ? hex_digit(text[i + 2]) : -1;
      if (low < 0) {
        return bad_target(fmt::format("{}: '%' needs two hex digits after it", what));
      }
      c = static_cast<char>(high * 16 + low);
      i += 2;
    }
    if (c == '\0') return bad_target(fmt::format("{}: NUL is not allowed", what));
    out.push_back(c);
  }
  if (!is_valid_utf8(out)) return bad_target(fmt::format("{}: not valid UTF-8", what));
  return out;
}

std::string percent_decode_bytes(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    const int high = text[i] == '%' && i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
    const int low = high < 0 ? -1 : hex_digit(text[i + 2]);
    out.push_back(low < 0 ? text[i] : static_cast<char>(high * 16 + low));
    if (low >= 0) i += 2;
  }
  return out;
}

Result<Target> parse_target(std::string_view target) {
  if (target == "*") return Target{.path = "*", .segments = {}, .query = {}};
  if (target.empty() || target[0] != '/') {
    auto rest = strip_authority(target);
    if (!rest) return rest.error();
    target = *rest;
  }
  const auto question = target.find('?');
  if (target.find('#') != target.npos) {
    return bad_target("request target: a fragment is never sent to a server");
  }
  auto parsed = parse_path(target.substr(0, question));
  if (!parsed) return parsed;
  if (question != target.npos) {
    auto query = parse_query(target.substr(question + 1));
    if (!query) return query.error();
    parsed->query = std::move(*query);
  }
  return parsed;
}

}  // namespace limner::http
