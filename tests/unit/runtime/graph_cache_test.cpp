#include "runtime/graph_cache.hpp"

#include <chrono>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "support/temp_dir.hpp"

namespace limner::runtime {
namespace {

TEST(GraphCache, IsOffWithoutAFolder) {
  EXPECT_FALSE(GraphCache({}, 1).is_enabled());
}

TEST(GraphCache, IsOffWhereTheFolderCannotBeMade) {
  const TempDir dir;
  ASSERT_TRUE(write_file(dir / "file", "x"));
  EXPECT_FALSE(GraphCache(dir / "file/below", 1).is_enabled());
}

TEST(GraphCache, GivesEachKeyAFileOfItsOwn) {
  const TempDir dir;
  const GraphCache cache(dir.path(), 100);
  EXPECT_NE(cache.path_of("a"), cache.path_of("b"));
  EXPECT_EQ(cache.path_of("a"), cache.path_of("a"));
  EXPECT_EQ(cache.path_of("../../a").parent_path(), dir.path());
}

TEST(GraphCache, DropsTheLeastRecentlyUsedAboveItsLimit) {
  const TempDir dir;
  const GraphCache cache(dir.path(), 25);
  const auto now = std::filesystem::file_time_type::clock::now();
  int age = 30;
  for (const std::string key : {"old", "middle", "young"}) {
    ASSERT_TRUE(write_file(cache.path_of(key), std::string(10, 'x')));
    std::filesystem::last_write_time(cache.path_of(key), now - std::chrono::minutes(age));
    age -= 10;
  }
  cache.touch(cache.path_of("old"));
  cache.trim();
  EXPECT_TRUE(std::filesystem::exists(cache.path_of("old")));
  EXPECT_FALSE(std::filesystem::exists(cache.path_of("middle")));
  EXPECT_TRUE(std::filesystem::exists(cache.path_of("young")));
}

}  // namespace
}  // namespace limner::runtime
