// Which web pages may call the server from a browser. Off unless origins are named; never with
// cookies, so that a page can do no more than it has a key for.
#pragma once

#include <string>
#include <vector>

#include "http/headers.hpp"
#include "http/request.hpp"
#include "http/response.hpp"

namespace limner::http {

struct CorsOptions {
  // Compared as they are, such as "https://paint.example"; "*" is every one.
  std::vector<std::string> origins = {};
  std::vector<std::string> request_headers = {};  // that pages may send
  std::vector<std::string> answer_headers = {};   // that pages may read
};

// The value of Access-Control-Allow-Origin for this request; empty when there is none to send.
std::string allowed_origin(const CorsOptions& options, const Request& request);

// Says on any answer that the page of `allowed` may read it; on none when no page is named.
void add_cors_headers(const CorsOptions& options, const std::string& allowed, Headers& headers);

// The answer to a browser that asks before it sends; `allow` as of the route table.
Response preflight_answer(const CorsOptions& options, const std::string& allow);
bool is_preflight(const Request& request);

}  // namespace limner::http
