// Cuts a byte stream into server-sent events, as the HTML standard reads them: any line end,
// comments skipped, several data lines joined.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace limner::http {

struct SseEvent {
  std::string_view event;  // empty when the server named none
  std::string_view data;
};

class SseReader {
 public:
  // An event beyond `event_bytes_max` is an error: nothing of it is given on.
  explicit SseReader(std::size_t event_bytes_max) : event_bytes_max_(event_bytes_max) {}

  // Calls `on_event` for each event that is complete; its views end with the call. False from it
  // ends the reading without an error.
  Result<void> read(std::span<const std::uint8_t> bytes,
                    const std::function<bool(const SseEvent&)>& on_event);
  // At the end of the stream: an event that lacks only its blank line counts.
  Result<void> finish(const std::function<bool(const SseEvent&)>& on_event);

 private:
  bool take_line(std::string_view line, const std::function<bool(const SseEvent&)>& on_event);
  bool dispatch(const std::function<bool(const SseEvent&)>& on_event);

  const std::size_t event_bytes_max_;
  std::string line_;   // of which the end has not come
  std::string event_;
  std::string data_;
  bool has_data_ = false;
  bool is_after_cr_ = false;  // an LF that follows belongs to it
  bool is_first_line_ = true;
  bool is_ended_ = false;
};

}  // namespace limner::http
