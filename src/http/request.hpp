// One request as it came, checked and decoded, under the limits of its route.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "http/headers.hpp"
#include "http/part.hpp"

namespace limner::http {

struct QueryParameter {
  std::string name;
  std::string value;
};

// The bytes of a JSON body (empty when there was none), or the parts of a form.
using Body = std::variant<std::string, std::vector<Part>>;

struct Request {
  std::string method;  // upper case as sent: "GET"
  std::string target;  // as sent, for logs: may hold secrets in its query
  std::string path;    // decoded, valid UTF-8, no dot segments: "/v1/models/a b"
  // The decoded segments of the path. One may hold a slash that came as %2F.
  std::vector<std::string> segments;
  std::vector<QueryParameter> query;
  int version_minor = 1;  // of HTTP/1.x
  Headers headers;
  std::string remote_address;
  std::uint16_t remote_port = 0;
  Body body;

  std::optional<std::string_view> header(std::string_view name) const { return headers.get(name); }
  // The first parameter of that name.
  std::optional<std::string_view> query_parameter(std::string_view name) const;
  // Empty for a form.
  std::string_view body_bytes() const;
  // Null for anything but a form.
  const std::vector<Part>* parts() const { return std::get_if<std::vector<Part>>(&body); }
  // The media type in lower case without parameters: "application/json"; empty when absent.
  std::string media_type() const;
};

}  // namespace limner::http
