#include "base/descriptor_sink.hpp"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <string>

#include <fmt/format.h>
#include <poll.h>
#include <unistd.h>

namespace limner::log {
namespace {

constexpr std::string_view kColourEnd = "\033[m";

std::string_view colour_of(spdlog::level::level_enum level) {
  if (level >= spdlog::level::err) return "\033[31m";
  if (level == spdlog::level::warn) return "\033[33m";
  return level == spdlog::level::info ? "\033[32m" : "\033[36m";
}

}  // namespace

DescriptorSink::DescriptorSink(int descriptor)
    : descriptor_(descriptor), is_coloured_(::isatty(descriptor) == 1) {
  set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
}

void DescriptorSink::sink_it_(const spdlog::details::log_msg& line) {
  const std::size_t lost = count_lost_ ? count_lost_() : 0;
  if (lost > told_lost_) {
    const auto text = fmt::format(
        "{} lines of the log were lost: they came faster than they were "
        "read",
        lost - told_lost_);
    told_lost_ = lost;
    write_line({line.logger_name, spdlog::level::warn, text});
  }
  write_line(line);
}

void DescriptorSink::write_line(const spdlog::details::log_msg& line) {
  spdlog::memory_buf_t formatted;
  formatter_->format(line, formatted);
  const std::string_view text(formatted.data(), formatted.size());
  if (!is_coloured_ || line.color_range_end <= line.color_range_start) {
    write(text);
    return;
  }
  std::string coloured(text.substr(0, line.color_range_start));
  coloured += colour_of(line.level);
  coloured += text.substr(line.color_range_start, line.color_range_end - line.color_range_start);
  coloured += kColourEnd;
  coloured += text.substr(line.color_range_end);
  write(coloured);
}

// False when the rest is dropped.
bool DescriptorSink::write(std::string_view bytes) const {
  // A pipe that is writable takes a page without blocking.
  constexpr std::size_t kPieceBytes = 4'096;
  while (!bytes.empty()) {
    if (!wait_writable()) return false;
    const auto n = ::write(descriptor_, bytes.data(), std::min(bytes.size(), kPieceBytes));
    if (n < 0 && (errno == EINTR || errno == EAGAIN)) continue;
    if (n <= 0) return false;
    bytes.remove_prefix(static_cast<std::size_t>(n));
  }
  return true;
}

// Polls, since the deadline may be set while it waits.
bool DescriptorSink::wait_writable() const {
  constexpr std::chrono::milliseconds kPoll{50};
  for (;;) {
    const TimePoint deadline{Duration(give_up_at_.load())};
    const bool may_wait = std::chrono::steady_clock::now() < deadline;
    pollfd asked{.fd = descriptor_, .events = POLLOUT, .revents = 0};
    const int count = ::poll(&asked, 1, may_wait ? static_cast<int>(kPoll.count()) : 0);
    if (count > 0) return (asked.revents & POLLOUT) != 0;
    if (count < 0 && errno != EINTR) return false;
    if (!may_wait) return false;
  }
}

}  // namespace limner::log
