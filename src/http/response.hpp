// A whole answer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <variant>

#include "base/shared_content.hpp"
#include "http/headers.hpp"

namespace limner::http {

// Bytes of its own, or a part of what others read too, such as a file: that is sent as the client
// takes it, and costs no memory for each reader.
using ResponseBody = std::variant<std::string, SharedContent>;

// Content-Length, Connection, Date and Transfer-Encoding are the server's to write.
struct Response {
  int status = 200;
  Headers headers = {};
  ResponseBody body = {};

  std::size_t body_size() const;
  // Empty for shared content.
  std::string_view body_text() const;
};

// "Not Found"; "Unknown" for a status we never send.
std::string_view reason_phrase(int status);

}  // namespace limner::http
