#include "http/request.hpp"

#include <algorithm>

namespace limner::http {

std::optional<std::string_view> Request::query_parameter(std::string_view name) const {
  for (const auto& parameter : query) {
    if (parameter.name == name) return parameter.value;
  }
  return std::nullopt;
}

std::string_view Request::body_bytes() const {
  const auto* bytes = std::get_if<std::string>(&body);
  return bytes ? std::string_view(*bytes) : std::string_view{};
}

std::string Request::media_type() const {
  const auto value = header("Content-Type").value_or("");
  const auto first = value.find_first_not_of(" \t");
  if (first == value.npos) return {};
  auto type = value.substr(first, value.find(';') - first);
  type = type.substr(0, type.find_last_not_of(" \t") + 1);
  std::string lower(type);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return lower;
}

}  // namespace limner::http
