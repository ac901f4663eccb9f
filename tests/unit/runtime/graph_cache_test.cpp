#include "runtime/graph_cache.hpp"

#include <chrono>
#include <filesystem>
#include <iterator>
#include <stdexcept>
#include <string>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "support/temp_dir.hpp"

namespace limner::runtime {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t kDigestBytes = 64;

void store(const GraphCache& cache, const std::string& key, const std::string& graph) {
  cache.store(key, [&](std::ostream& file) { file << graph; });
}

// What the cache gives back; "nothing" when it has none, "damaged" when it is not what was stored.
std::string stored(const GraphCache& cache, const std::string& key) {
  const auto path = cache.find(key);
  if (!path) return "nothing";
  const auto file = read_file(*path, 1 << 20).value();
  const auto content = GraphCache::content_of(file);
  return content ? file.substr(0, *content) : "damaged";
}

std::size_t file_count(const fs::path& dir) {
  return static_cast<std::size_t>(std::distance(fs::directory_iterator(dir), {}));
}

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
  const GraphCache cache(dir.path(), 1000);
  store(cache, "a", "graph a");
  store(cache, "../../b", "graph b");
  EXPECT_EQ(stored(cache, "a"), "graph a");
  EXPECT_EQ(stored(cache, "../../b"), "graph b");
  EXPECT_EQ(cache.find("../../b")->parent_path(), dir.path());
  EXPECT_EQ(stored(cache, "c"), "nothing");
  cache.remove("a");
  EXPECT_EQ(stored(cache, "a"), "nothing");
}

TEST(GraphCache, SeesEveryFlippedBitAndEveryMissingByte) {
  const TempDir dir;
  const GraphCache cache(dir.path(), 1000);
  store(cache, "a", "graph");
  const auto path = *cache.find("a");
  const auto file = read_file(path, 1000).value();
  for (std::size_t i = 0; i < file.size(); ++i) {
    auto damaged = file;
    damaged[i] = static_cast<char>(damaged[i] ^ (1 << i % 8));
    EXPECT_FALSE(GraphCache::content_of(damaged)) << i;
    EXPECT_FALSE(GraphCache::content_of(std::string_view(file).substr(0, i))) << i;
  }
  EXPECT_FALSE(GraphCache::content_of(file + "x"));
}

TEST(GraphCache, DropsTheLeastRecentlyUsedAboveItsLimit) {
  const TempDir dir;
  const GraphCache cache(dir.path(), 2 * (10 + kDigestBytes) + 20);
  const auto now = fs::file_time_type::clock::now();
  int age = 30;
  for (const std::string key : {"old", "middle"}) {
    store(cache, key, std::string(10, 'x'));
    fs::last_write_time(*cache.find(key), now - std::chrono::minutes(age));
    age -= 10;
  }
  ASSERT_TRUE(cache.find("old"));  // which marks it as used
  store(cache, "young", std::string(10, 'x'));
  EXPECT_EQ(stored(cache, "middle"), "nothing");
  EXPECT_EQ(stored(cache, "old"), std::string(10, 'x'));
  EXPECT_EQ(stored(cache, "young"), std::string(10, 'x'));
}

TEST(GraphCache, OneLargerThanTheLimitDoesNotDriveOutTheOthers) {
  const TempDir dir;
  const GraphCache cache(dir.path(), 300);
  store(cache, "small", "graph");
  EXPECT_FALSE(cache.takes("large", 301));
  EXPECT_TRUE(cache.takes("large", 300));
  // One that turned out larger than was thought.
  store(cache, "large", std::string(300, 'x'));
  EXPECT_EQ(stored(cache, "large"), "nothing");
  EXPECT_EQ(stored(cache, "small"), "graph");
  EXPECT_EQ(file_count(dir.path()), 1u);
}

TEST(GraphCache, UnderALowerLimitTheLargestGoAndTheSmallStay) {
  const TempDir dir;
  store(GraphCache(dir.path(), 1000), "small", "graph");
  store(GraphCache(dir.path(), 1000), "large", std::string(500, 'x'));
  const GraphCache lowered(dir.path(), 300);
  store(lowered, "another", "graph");
  EXPECT_EQ(stored(lowered, "large"), "nothing");
  EXPECT_EQ(stored(lowered, "small"), "graph");
}

TEST(GraphCache, LeavesNothingBehindWhenWritingFails) {
  const TempDir dir;
  const GraphCache cache(dir.path(), 1000);
  EXPECT_THROW(cache.store("a", [](std::ostream&) { throw std::runtime_error("no"); }),
               std::runtime_error);
  cache.store("b", [](std::ostream& file) { file.setstate(std::ios::badbit); });
  EXPECT_EQ(file_count(dir.path()), 0u);
}

TEST(GraphCache, SweepsWhatAProcessThatDiedWasWriting) {
  const TempDir dir;
  const GraphCache cache(dir.path(), 1000);
  ASSERT_TRUE(write_file(dir / "a.blob.1.part", "half"));
  ASSERT_TRUE(write_file(dir / "b.blob.1.part", "half"));
  fs::last_write_time(dir / "a.blob.1.part",
                      fs::file_time_type::clock::now() - std::chrono::hours(2));
  store(cache, "c", "graph");
  EXPECT_FALSE(fs::exists(dir / "a.blob.1.part"));
  EXPECT_TRUE(fs::exists(dir / "b.blob.1.part")) << "somebody may still be writing it";
}

}  // namespace
}  // namespace limner::runtime
