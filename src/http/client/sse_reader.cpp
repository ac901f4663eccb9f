#include "http/client/sse_reader.hpp"

#include <utility>

#include <fmt/format.h>

namespace limner::http {
namespace {

constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

}  // namespace

Result<void> SseReader::read(std::span<const std::uint8_t> bytes,
                             const std::function<bool(const SseEvent&)>& on_event) {
  std::string_view rest(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  while (!rest.empty() && !is_ended_) {
    if (is_after_cr_) {
      is_after_cr_ = false;
      if (rest.front() == '\n') rest.remove_prefix(1);
      continue;
    }
    const auto end = rest.find_first_of("\r\n");
    const auto piece = rest.substr(0, end);
    if (line_.size() + data_.size() + piece.size() > event_bytes_max_) {
      return Error{.kind = ErrorKind::TooLarge,
                   .message = fmt::format("an event of more than {} bytes", event_bytes_max_)};
    }
    if (end == std::string_view::npos) {
      line_.append(piece);
      break;
    }
    is_after_cr_ = rest[end] == '\r';
    rest.remove_prefix(end + 1);
    if (line_.empty()) {
      is_ended_ = !take_line(piece, on_event);
    } else {
      line_.append(piece);
      is_ended_ = !take_line(line_, on_event);
      line_.clear();
    }
  }
  return {};
}

Result<void> SseReader::finish(const std::function<bool(const SseEvent&)>& on_event) {
  if (is_ended_) return {};
  if (!line_.empty()) is_ended_ = !take_line(line_, on_event);
  line_.clear();
  if (!is_ended_) dispatch(on_event);
  is_ended_ = true;
  return {};
}

bool SseReader::take_line(std::string_view line,
                          const std::function<bool(const SseEvent&)>& on_event) {
  if (std::exchange(is_first_line_, false) && line.starts_with(kByteOrderMark)) {
    line.remove_prefix(kByteOrderMark.size());
  }
  if (line.empty()) return dispatch(on_event);
  const auto colon = line.find(':');
  const auto name = line.substr(0, colon);
  auto value = colon == std::string_view::npos ? std::string_view{} : line.substr(colon + 1);
  if (value.starts_with(' ')) value.remove_prefix(1);
  if (name == "event") {
    event_ = value;
  } else if (name == "data") {
    if (has_data_) data_ += '\n';
    data_ += value;
    has_data_ = true;
  }
  return true;
}

bool SseReader::dispatch(const std::function<bool(const SseEvent&)>& on_event) {
  const bool goes_on = !has_data_ || on_event({.event = event_, .data = data_});
  event_.clear();
  data_.clear();
  has_data_ = false;
  return goes_on;
}

}  // namespace limner::http
