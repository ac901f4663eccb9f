// Request targets and percent-encoding.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "http/request.hpp"

namespace limner::http {

enum class Plus { IsPlus, IsSpace };  // a space in forms and queries

// Errors: a '%' without two hex digits, a NUL, bytes that are not UTF-8. `what` names the place.
Result<std::string> percent_decode(std::string_view text, Plus plus, std::string_view what);

// For data that may be anything: a '%' without two hex digits is itself.
std::string percent_decode_bytes(std::string_view text);

struct Target {
  std::string path;
  std::vector<std::string> segments;
  std::vector<QueryParameter> query;
};

// Origin form ("/a/b?c=d"), absolute form ("http://host/a/b") and "*". Empty segments are skipped,
// so
// "/v1//models/" is "/v1/models". Dot segments are refused, also in encoded form.
Result<Target> parse_target(std::string_view target);

}  // namespace limner::http
