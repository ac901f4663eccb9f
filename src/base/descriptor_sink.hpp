// Log lines into a descriptor, with a wait that can end: a reader that stopped reading must not
// keep the process from ending.
#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <mutex>
#include <string_view>

#include <spdlog/sinks/base_sink.h>

#include "base/clock.hpp"

namespace limner::log {

class DescriptorSink final : public spdlog::sinks::base_sink<std::mutex> {
 public:
  // Levels are coloured on a terminal.
  explicit DescriptorSink(int descriptor);

  // Asked before each line; what has been lost since the last time is said. Not while lines are
  // written.
  void count_lost_lines(std::function<std::size_t()> count) { count_lost_ = std::move(count); }
  // From then on lines that are not taken at once are dropped. Any thread, at any time.
  void give_up_at(TimePoint deadline) { give_up_at_ = deadline.time_since_epoch().count(); }

 protected:
  void sink_it_(const spdlog::details::log_msg& line) override;
  void flush_() override {}

 private:
  void write_line(const spdlog::details::log_msg& line);
  bool write(std::string_view bytes) const;
  bool wait_writable() const;

  const int descriptor_;
  const bool is_coloured_;
  std::function<std::size_t()> count_lost_;
  std::size_t told_lost_ = 0;
  std::atomic<TimePoint::rep> give_up_at_ = TimePoint::max().time_since_epoch().count();
};

}  // namespace limner::log
