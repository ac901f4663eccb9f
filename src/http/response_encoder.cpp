#include "http/response_encoder.hpp"

#include <array>

#include <fmt/format.h>

#include "base/text.hpp"

namespace limner::http {
namespace {

bool is_ours(std::string_view name) {
  for (const auto* own : {"Content-Length", "Transfer-Encoding", "Connection", "Date"}) {
    if (equals_ignoring_case(name, own)) return true;
  }
  return false;
}

bool is_line_breaking(std::string_view text) {
  return text.find_first_of(std::string_view("\r\n\0", 3)) != text.npos;
}

// RFC 9110 IMF-fixdate. Not strftime: its names follow the locale.
std::string format_date(std::time_t now) {
  constexpr std::array kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr std::array kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                               "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t{};
  ::gmtime_r(&now, &t);
  return fmt::format("{}, {:02} {} {} {:02}:{:02}:{:02} GMT",
                     kDays[static_cast<std::size_t>(t.tm_wday)], t.tm_mday,
                     kMonths[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour,
                     t.tm_min, t.tm_sec);
}

bool may_have_body(int status) {
  return status >= 200 && status != 204 && status != 304;
}

}  // namespace

bool is_sendable(const Headers& headers) {
  for (const auto& field : headers) {
    if (field.name.empty() || is_line_breaking(field.name) || is_line_breaking(field.value) ||
        field.name.find_first_of(": \t") != field.name.npos || is_ours(field.name)) {
      return false;
    }
  }
  return true;
}

std::string encode_head(const Response& response, const AnswerShape& shape) {
  std::string head;
  head.reserve(512);
  fmt::format_to(std::back_inserter(head), "{}{} {}\r\nDate: {}\r\n", kAnswerStart, response.status,
                 reason_phrase(response.status), format_date(shape.now));
  for (const auto& field : response.headers) {
    head.append(field.name).append(": ").append(field.value).append("\r\n");
  }
  if (shape.length == AnswerLength::Chunked) {
    head.append("Transfer-Encoding: chunked\r\n");
  } else if (shape.length == AnswerLength::Known && may_have_body(response.status)) {
    fmt::format_to(std::back_inserter(head), "Content-Length: {}\r\n", response.body_size());
  }
  if (!shape.keeps_alive) {
    head.append("Connection: close\r\n");
  } else if (shape.version_minor == 0) {
    head.append("Connection: keep-alive\r\n");
  }
  return head.append("\r\n");
}

std::string chunk_head(std::size_t size_bytes) {
  return fmt::format("{:x}\r\n", size_bytes);
}

}  // namespace limner::http
