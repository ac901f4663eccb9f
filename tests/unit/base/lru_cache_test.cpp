#include "base/lru_cache.hpp"

#include <gtest/gtest.h>

namespace limner {
namespace {

TEST(LruCache, DropsTheOneNotUsedForLongest) {
  LruCache<int> cache(2);
  cache.put("a", 1);
  cache.put("b", 2);
  ASSERT_NE(cache.find("a"), nullptr);
  cache.put("c", 3);
  EXPECT_EQ(cache.find("b"), nullptr);
  EXPECT_EQ(*cache.find("a"), 1);
  EXPECT_EQ(*cache.find("c"), 3);
}

TEST(LruCache, MakesRoomBeforeTheNewValueComes) {
  LruCache<int> cache(1);
  cache.put("a", 1);
  cache.make_room();
  EXPECT_EQ(cache.find("a"), nullptr);
}

}  // namespace
}  // namespace limner
