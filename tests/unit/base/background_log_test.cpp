#include "base/background_log.hpp"

#include <string>
#include <string_view>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "base/log.hpp"
#include "base/log_throttle.hpp"

namespace limner::log {
namespace {

// A pipe that holds two pages.
struct SmallPipe {
  SmallPipe() {
    int ends[2] = {-1, -1};
    EXPECT_EQ(::pipe2(ends, O_CLOEXEC), 0);
    read_end = ends[0];
    write_end = ends[1];
    ::fcntl(write_end, F_SETPIPE_SZ, 8192);
  }
  ~SmallPipe() {
    ::close(read_end);
    ::close(write_end);
  }
  // Reads until `text` has come.
  std::string read_until(std::string_view text) const {
    std::string all;
    char buffer[4096];
    while (all.find(text) == all.npos) {
      const auto n = ::read(read_end, buffer, sizeof buffer);
      if (n <= 0) break;
      all.append(buffer, static_cast<std::size_t>(n));
    }
    return all;
  }
  int read_end = -1;
  int write_end = -1;
};

class BackgroundTest : public ::testing::Test {
 protected:
  ~BackgroundTest() override { EXPECT_TRUE(init("info")); }
  SmallPipe pipe_;
};

TEST_F(BackgroundTest, WhoLogsNeverWaitsForTheReaderAndTheLostAreCounted) {
  const Background background(
      {.descriptor = pipe_.write_end, .lines_max = 8, .last_wait_max = std::chrono::seconds(0)});
  for (int i = 0; i < 1'000; ++i) info("line {}", i);  // far more than pipe and queue hold
  const auto text = pipe_.read_until("line 999\n");
  int told = 0;
  int written = 0;
  for (auto at = text.find("line "); at != text.npos; at = text.find("line ", at + 1)) ++written;
  const std::string_view words = " lines of the log were lost";
  for (auto at = text.find(words); at != text.npos; at = text.find(words, at + 1)) {
    told += std::stoi(text.substr(text.rfind(' ', at - 1) + 1));
  }
  EXPECT_GT(told, 0);
  EXPECT_EQ(told + written, 1'000);
}

TEST_F(BackgroundTest, EndsBesideAPipeThatNobodyReads) {
  {
    const Background background({.descriptor = pipe_.write_end,
                                 .lines_max = 64,
                                 .last_wait_max = std::chrono::milliseconds(1)});
    for (int i = 0; i < 1'000; ++i) info("line {}", i);
  }
  info("nor does a line after it");
  SUCCEED();
}

TEST_F(BackgroundTest, WritesWhatWaitsBeforeItEnds) {
  {
    const Background background({.descriptor = pipe_.write_end});
    for (int i = 0; i < 10; ++i) info("line {}", i);
  }
  const auto text = pipe_.read_until("line 9\n");
  EXPECT_NE(text.find("line 9\n"), text.npos);
  EXPECT_EQ(text.find("lost"), text.npos);
}

TEST(LogThrottle, LetsOneThroughInAWhileAndCountsTheRest) {
  LogThrottle throttle(std::chrono::seconds(10));
  const TimePoint start{};
  EXPECT_EQ(throttle.pass(start), 0u);
  for (int i = 1; i < 10; ++i) EXPECT_FALSE(throttle.pass(start + std::chrono::seconds(i)));
  EXPECT_EQ(throttle.pass(start + std::chrono::seconds(10)), 9u);
  EXPECT_FALSE(throttle.pass(start + std::chrono::seconds(11)));
}

}  // namespace
}  // namespace limner::log
