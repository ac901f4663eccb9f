#include "base/bounded_queue.hpp"

#include <memory>
#include <stop_token>
#include <thread>

#include <gtest/gtest.h>

namespace limner {
namespace {

TEST(BoundedQueue, RefusesWhatDoesNotFitAndLeavesItAlone) {
  BoundedQueue<std::unique_ptr<int>> queue(1);
  EXPECT_TRUE(queue.try_push(std::make_unique<int>(1)));
  auto second = std::make_unique<int>(2);
  EXPECT_FALSE(queue.try_push(std::move(second)));
  ASSERT_NE(second, nullptr);
  EXPECT_EQ(**queue.try_pop(), 1);
  EXPECT_TRUE(queue.try_push(std::move(second)));
}

TEST(BoundedQueue, GivesWhatIsLeftAfterClosingThenNothing) {
  BoundedQueue<int> queue(4);
  queue.try_push(1);
  queue.close();
  EXPECT_FALSE(queue.try_push(2));
  EXPECT_EQ(queue.pop(), 1);
  EXPECT_EQ(queue.pop(), std::nullopt);
}

TEST(BoundedQueue, AWaitEndsWithItsStopToken) {
  BoundedQueue<int> queue(1);
  std::stop_source stop;
  std::jthread waiter([&] { EXPECT_EQ(queue.pop(stop.get_token()), std::nullopt); });
  stop.request_stop();
}

}  // namespace
}  // namespace limner
