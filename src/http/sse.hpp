// Server-sent events as bytes.
#pragma once

#include <string>
#include <string_view>

#include "http/exchange.hpp"

namespace limner::http {

// "event: NAME\ndata: LINE\n…\n\n"; without an event name when it is empty. Line breaks in `data`
// become further data lines.
std::string sse_event(std::string_view event, std::string_view data);
// ": TEXT\n\n", which clients skip.
std::string sse_comment(std::string_view text);

// Content type, no caching, and no buffering by proxies.
Headers sse_headers();
// A comment every 15 s.
StreamOptions sse_stream_options();

}  // namespace limner::http
