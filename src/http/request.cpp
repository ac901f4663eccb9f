#include "http/request.hpp"

#include "base/text.hpp"

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
  return ascii_lower(trim(value.substr(0, value.find(';'))));
}

}  // namespace limner::http
