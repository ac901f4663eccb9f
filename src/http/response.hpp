// A whole answer.
#pragma once

#include <string>
#include <string_view>

#include "http/headers.hpp"

namespace limner::http {

// Content-Length, Connection, Date and Transfer-Encoding are the server's to write.
struct Response {
  int status = 200;
  Headers headers;
  std::string body;
};

// "Not Found"; "Unknown" for a status we never send.
std::string_view reason_phrase(int status);

}  // namespace limner::http
