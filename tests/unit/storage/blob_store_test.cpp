// What both stores promise.
#include "storage/blob_store.hpp"

#include <atomic>
#include <filesystem>
#include <memory>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "base/ids.hpp"
#include "storage/file_blob_store.hpp"
#include "storage/memory_blob_store.hpp"
#include "support/manual_clock.hpp"
#include "unit/storage/read_content.hpp"

namespace limner::storage {
namespace {

using namespace std::chrono_literals;

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

enum class Kind { Memory, File };

class BlobStoreTest : public ::testing::TestWithParam<Kind> {
 protected:
  ~BlobStoreTest() override { std::filesystem::remove_all(folder_); }

  std::unique_ptr<BlobStore> make(BlobStoreOptions options = {}) {
    if (GetParam() == Kind::Memory) return std::make_unique<MemoryBlobStore>(options, clock_);
    auto store = FileBlobStore::open_folder(folder_, options, clock_);
    EXPECT_TRUE(store) << store.error().message;
    return std::move(*store);
  }

  test::ManualClock clock_;
  std::filesystem::path folder_ = std::filesystem::temp_directory_path() / random_id("limner_");
};

TEST_P(BlobStoreTest, gives_back_what_was_put) {
  const auto store = make();
  const auto info = store->put(bytes_of("pixels"), "image/png");
  ASSERT_TRUE(info) << info.error().message;
  EXPECT_TRUE(is_blob_id(info->id));
  EXPECT_EQ(info->created, clock_.wall_now());
  EXPECT_EQ(info->expires, clock_.wall_now() + 3'600s);
  const auto blob = store->open(info->id);
  ASSERT_TRUE(blob);
  EXPECT_EQ(read_content(blob->content), "pixels");
  EXPECT_EQ(blob->info.content_type, "image/png");
  EXPECT_EQ(blob->info.size_bytes, 6u);
  EXPECT_EQ(blob->info.etag, info->etag);
  EXPECT_EQ(store->info(info->id)->etag, info->etag);
}

TEST_P(BlobStoreTest, gives_equal_content_different_ids_and_etags) {
  const auto store = make();
  std::set<std::string> ids;
  std::set<std::string> etags;
  for (int i = 0; i < 100; ++i) {
    const auto info = store->put(bytes_of("same"), "image/webp");
    ids.insert(info->id);
    etags.insert(info->etag);
  }
  EXPECT_EQ(ids.size(), 100u);
  EXPECT_EQ(etags.size(), 100u);
}

TEST_P(BlobStoreTest, forgets_after_the_time_to_live) {
  const auto store = make({.ttl = 10s});
  const auto info = store->put(bytes_of("soon gone"), "image/png");
  clock_.advance(9s);
  EXPECT_TRUE(store->open(info->id));
  clock_.advance(1s);
  EXPECT_EQ(store->open(info->id).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store->info(info->id).error().kind, ErrorKind::NotFound);
  store->sweep();
  EXPECT_EQ(store->used_size_bytes(), 0u);
}

TEST_P(BlobStoreTest, evicts_the_oldest_first) {
  const auto store = make({.size_bytes_max = 3 * 4'096});
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(store->put(bytes_of("picture"), "image/jpeg")->id);
    clock_.advance(1s);
  }
  EXPECT_FALSE(store->open(ids[0]));
  EXPECT_FALSE(store->open(ids[1]));
  for (const int i : {2, 3, 4}) EXPECT_TRUE(store->open(ids[static_cast<std::size_t>(i)])) << i;
  EXPECT_EQ(store->used_size_bytes(), 3u * 4'096);
}

TEST_P(BlobStoreTest, refuses_what_can_never_fit_and_evicts_nobody_for_it) {
  const auto store = make({.size_bytes_max = 8'192});
  const auto small = store->put(bytes_of("small"), "image/png");
  const auto large = store->put(std::vector<std::uint8_t>(8'193, 1), "image/png");
  ASSERT_FALSE(large);
  EXPECT_EQ(large.error().kind, ErrorKind::TooLarge);
  EXPECT_TRUE(store->open(small->id));
}

TEST_P(BlobStoreTest, refuses_empty_blobs_and_unknown_types) {
  const auto store = make();
  EXPECT_FALSE(store->put({}, "image/png"));
  EXPECT_FALSE(store->put(bytes_of("<script>"), "text/html"));
  EXPECT_EQ(store->used_size_bytes(), 0u);
}

TEST_P(BlobStoreTest, removes_on_request) {
  const auto store = make();
  const auto info = store->put(bytes_of("x"), "image/png");
  EXPECT_TRUE(store->remove(info->id));
  EXPECT_FALSE(store->remove(info->id));
  EXPECT_FALSE(store->open(info->id));
  EXPECT_EQ(store->used_size_bytes(), 0u);
}

TEST_P(BlobStoreTest, finds_nothing_under_ids_that_are_none) {
  const auto store = make();
  const auto id = store->put(bytes_of("x"), "image/png")->id;
  std::string upper = id;
  for (char& c : upper) c = static_cast<char>(std::toupper(c));
  for (const auto& bad :
       {std::string(), std::string("."), std::string(".."), std::string("../../etc/passwd"),
        "../" + id, id + "/", id + ".png", id + std::string(1, '\0'), id.substr(1), id + "0",
        "%2e%2e%2f" + id, std::string(31, '0') + "g", std::string(4'096, 'a')}) {
    EXPECT_FALSE(store->open(bad)) << bad;
    EXPECT_FALSE(store->info(bad)) << bad;
    EXPECT_FALSE(store->remove(bad)) << bad;
  }
  EXPECT_TRUE(upper == id || !store->open(upper));
  EXPECT_TRUE(store->open(id));
}

TEST_P(BlobStoreTest, serves_many_threads) {
  const auto store = make({.size_bytes_max = 40 * 4'096});
  std::vector<std::jthread> threads;
  std::atomic<int> wrong = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      const std::string text(100, static_cast<char>('a' + t));
      for (int i = 0; i < 100; ++i) {
        const auto info = store->put(bytes_of(text), "image/png");
        const auto blob = info ? store->open(info->id) : Result<Blob>(info.error());
        // Others may have evicted it already, but nobody gets somebody else's bytes.
        if (blob && read_content(blob->content) != text) ++wrong;
        if (i % 3 == 0 && info) store->remove(info->id);
        if (i % 10 == 0) store->sweep();
      }
    });
  }
  threads.clear();
  EXPECT_EQ(wrong, 0);
  EXPECT_LE(store->used_size_bytes(), 40u * 4'096);
}

INSTANTIATE_TEST_SUITE_P(Stores, BlobStoreTest, ::testing::Values(Kind::Memory, Kind::File),
                         [](const auto& kind) {
                           return kind.param == Kind::Memory ? "memory" : "file";
                         });

}  // namespace
}  // namespace limner::storage
