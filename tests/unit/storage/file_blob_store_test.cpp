// What only files can get wrong.
#include "storage/file_blob_store.hpp"

#include <csignal>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include "base/files.hpp"
#include "base/ids.hpp"
#include "support/manual_clock.hpp"
#include "unit/storage/read_content.hpp"

namespace limner::storage {
namespace {

using namespace std::chrono_literals;
namespace fs = std::filesystem;

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

class FileBlobStoreTest : public ::testing::Test {
 protected:
  FileBlobStoreTest() { fs::create_directories(root_); }
  ~FileBlobStoreTest() override { fs::remove_all(root_); }

  std::unique_ptr<FileBlobStore> make(BlobStoreOptions options = {}) {
    auto store = FileBlobStore::open_folder(folder_, options, clock_);
    EXPECT_TRUE(store) << store.error().message;
    return store ? std::move(*store) : nullptr;
  }

  std::vector<std::string> names() const {
    std::vector<std::string> found;
    for (const auto& entry : fs::directory_iterator(folder_)) {
      found.push_back(entry.path().filename().string());
    }
    return found;
  }

  test::ManualClock clock_;
  fs::path root_ = fs::temp_directory_path() / random_id("limner_");
  fs::path folder_ = root_ / "pictures";
};

// No file may grow beyond the limit while this lives, which looks like a full disk to the store.
class FileSizeLimit {
 public:
  explicit FileSizeLimit(rlim_t size_bytes) {
    handler_ = std::signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &before_);
    const rlimit limit{size_bytes, before_.rlim_max};
    setrlimit(RLIMIT_FSIZE, &limit);
  }
  ~FileSizeLimit() {
    setrlimit(RLIMIT_FSIZE, &before_);
    std::signal(SIGXFSZ, handler_);
  }

 private:
  rlimit before_{};
  void (*handler_)(int) = nullptr;
};

TEST_F(FileBlobStoreTest, serves_again_after_a_restart_until_the_expiry) {
  std::string id;
  {
    const auto store = make({.ttl = 100s});
    id = store->put(bytes_of("picture"), "image/webp")->id;
  }
  clock_.advance(99s);
  {
    const auto store = make({.ttl = 100s});
    const auto blob = store->open(id);
    ASSERT_TRUE(blob);
    EXPECT_EQ(read_content(blob->content), "picture");
    EXPECT_EQ(blob->info.content_type, "image/webp");
    EXPECT_EQ(store->used_size_bytes(), 4'096u);
  }
  clock_.advance(1s);
  const auto store = make();
  EXPECT_FALSE(store->open(id));
  EXPECT_TRUE(names().empty());
}

TEST_F(FileBlobStoreTest, sweeps_what_has_expired_whatever_is_older) {
  {
    const auto store = make({.ttl = 1'000s});
    ASSERT_TRUE(store->put(bytes_of("long"), "image/png"));
  }
  const auto store = make({.ttl = 10s});
  ASSERT_TRUE(store->put(bytes_of("short"), "image/png"));
  store->sweep();
  EXPECT_EQ(names().size(), 2u);
  clock_.advance(10s);
  store->sweep();
  EXPECT_EQ(names().size(), 1u);
  clock_.advance(990s);
  store->sweep();
  EXPECT_TRUE(names().empty());
  EXPECT_EQ(store->used_size_bytes(), 0u);
}

TEST_F(FileBlobStoreTest, drops_the_oldest_at_start_when_the_limit_shrank) {
  std::vector<std::string> ids;
  {
    const auto store = make();
    for (int i = 0; i < 3; ++i) ids.push_back(store->put(bytes_of("x"), "image/png")->id);
    for (const auto& name : names()) {
      const bool is_first = name.starts_with(ids[0]);
      fs::last_write_time(folder_ / name, fs::file_time_type::clock::now() - (is_first ? 2h : 1h));
    }
  }
  const auto store = make({.size_bytes_max = 2 * 4'096});
  EXPECT_FALSE(store->open(ids[0]));
  EXPECT_TRUE(store->open(ids[1]));
  EXPECT_TRUE(store->open(ids[2]));
}

TEST_F(FileBlobStoreTest, reports_a_full_disk_leaves_nothing_behind_and_recovers) {
  const auto store = make();
  {
    const FileSizeLimit full(1'000);
    const auto refused = store->put(std::vector<std::uint8_t>(5'000, 7), "image/png");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().kind, ErrorKind::Unavailable);
    EXPECT_EQ(refused.error().code, "storage_full");
    EXPECT_EQ(refused.error().message.find(folder_.string()), std::string::npos);
    EXPECT_TRUE(names().empty());
    EXPECT_EQ(store->used_size_bytes(), 0u);
  }
  const auto info = store->put(std::vector<std::uint8_t>(5'000, 7), "image/png");
  ASSERT_TRUE(info);
  EXPECT_EQ(store->open(info->id)->content.size(), 5'000u);
}

TEST_F(FileBlobStoreTest, a_reader_keeps_what_is_removed_meanwhile) {
  const auto store = make();
  const std::string text(100'000, 'x');
  const auto info =
      store->put({reinterpret_cast<const std::uint8_t*>(text.data()), text.size()}, "image/png");
  ASSERT_TRUE(info);
  const auto blob = store->open(info->id);
  ASSERT_TRUE(blob);
  EXPECT_TRUE(blob->content.is_file());
  EXPECT_TRUE(store->remove(info->id));
  EXPECT_TRUE(read_content(blob->content) == text);
  EXPECT_EQ(read_content(blob->content.part(99'990, 10)), std::string(10, 'x'));
}

TEST_F(FileBlobStoreTest, sweeps_half_written_files_and_leaves_others_alone) {
  fs::create_directories(folder_);
  const std::string id(32, 'a');
  for (const auto& name : {id + ".part", std::string("README.txt"), id + ".99999999999999.png",
                           id + ".1.exe", std::string("..png")}) {
    std::ofstream(folder_ / name) << "x";
  }
  const auto store = make();
  EXPECT_FALSE(fs::exists(folder_ / (id + ".part")));
  EXPECT_EQ(names().size(), 4u);
  EXPECT_EQ(store->used_size_bytes(), 0u);
}

TEST_F(FileBlobStoreTest, follows_no_symbolic_link) {
  std::ofstream(root_ / "secret") << "secret!";
  fs::create_directories(folder_);
  const std::string planted(32, 'b');
  fs::create_symlink(root_ / "secret", folder_ / (planted + ".4000000000.png"));
  const auto store = make();
  EXPECT_FALSE(store->open(planted));

  // Swapped for a link after it was written, with the same size.
  const auto info = store->put(bytes_of("picture"), "image/png");
  for (const auto& name : names()) {
    if (!name.starts_with(info->id)) continue;
    fs::remove(folder_ / name);
    fs::create_symlink(root_ / "secret", folder_ / name);
  }
  EXPECT_FALSE(store->open(info->id));
}

TEST_F(FileBlobStoreTest, refuses_a_folder_that_is_a_link_or_a_file) {
  fs::create_directories(root_ / "elsewhere");
  fs::create_directory_symlink(root_ / "elsewhere", folder_);
  EXPECT_FALSE(FileBlobStore::open_folder(folder_, {}, clock_));
  fs::remove(folder_);
  std::ofstream(folder_) << "file";
  EXPECT_FALSE(FileBlobStore::open_folder(folder_, {}, clock_));
}

TEST_F(FileBlobStoreTest, is_not_shared_with_another_store) {
  const auto first = make();
  const auto second = FileBlobStore::open_folder(folder_, {}, clock_);
  ASSERT_FALSE(second);
  EXPECT_NE(second.error().message.find("another process"), std::string::npos);
}

TEST_F(FileBlobStoreTest, keeps_files_private) {
  const auto store = make();
  ASSERT_TRUE(store->put(bytes_of("x"), "image/png"));
  struct stat status {};
  ASSERT_EQ(::stat(folder_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0700u);
  ASSERT_EQ(::stat((folder_ / names().at(0)).c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
}

TEST_F(FileBlobStoreTest, answers_not_found_when_a_file_vanished_or_changed) {
  const auto store = make();
  const auto gone = store->put(bytes_of("gone"), "image/png");
  const auto cut = store->put(bytes_of("cut short"), "image/png");
  for (const auto& name : names()) {
    if (name.starts_with(gone->id)) fs::remove(folder_ / name);
    if (name.starts_with(cut->id)) fs::resize_file(folder_ / name, 3);
  }
  EXPECT_EQ(store->open(gone->id).error().kind, ErrorKind::NotFound);
  EXPECT_EQ(store->open(cut->id).error().kind, ErrorKind::NotFound);
}

}  // namespace
}  // namespace limner::storage
