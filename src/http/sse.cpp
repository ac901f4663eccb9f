#include "http/sse.hpp"

namespace limner::http {
namespace {

// Appends `prefix` + line + "\n" for each line of `text`; CRLF, CR and LF all end a line in SSE.
void append_lines(std::string& out, std::string_view prefix, std::string_view text) {
  // A picture's megabytes are one line: these two searches are quick, the one below is not.
  const bool is_one_line = text.find('\n') == text.npos && text.find('\r') == text.npos;
  for (;;) {
    const auto end = is_one_line ? text.npos : text.find_first_of("\r\n");
    out.append(prefix).append(text.substr(0, end)).push_back('\n');
    if (end == text.npos) return;
    const bool is_crlf = text.substr(end, 2) == "\r\n";
    text.remove_prefix(end + (is_crlf ? 2 : 1));
  }
}

}  // namespace

std::string sse_event(std::string_view event, std::string_view data) {
  std::string out;
  out.reserve(event.size() + data.size() + 32);
  // A line break in a name would start a field of its own: only its first line is used.
  if (!event.empty()) {
    out.append("event: ").append(event.substr(0, event.find_first_of("\r\n"))).push_back('\n');
  }
  append_lines(out, "data: ", data);
  out.push_back('\n');
  return out;
}

std::string sse_comment(std::string_view text) {
  std::string out;
  append_lines(out, ": ", text);
  out.push_back('\n');
  return out;
}

Headers sse_headers() {
  return {{"Content-Type", "text/event-stream; charset=utf-8"},
          {"Cache-Control", "no-cache"},
          {"X-Accel-Buffering", "no"}};
}

StreamOptions sse_stream_options() {
  return {.heartbeat_bytes = sse_comment("keep-alive")};
}

}  // namespace limner::http
