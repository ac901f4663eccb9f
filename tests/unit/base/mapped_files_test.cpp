#include <algorithm>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/files.hpp"
#include "support/temp_dir.hpp"

namespace limner {
namespace {

constexpr std::size_t kPages = 8;

class MappedFilesTest : public ::testing::Test {
 protected:
  MappedFilesTest() { write(); }

  void write() {
    ASSERT_TRUE(write_file(path_, std::string(kPages * 4096, 'w')));
    // Older than any write of the test, whatever the clock of the file system can tell apart.
    const timespec times[2] = {{.tv_sec = 1'000'000, .tv_nsec = 0},
                               {.tv_sec = 1'000'000, .tv_nsec = 0}};
    ASSERT_EQ(::utimensat(AT_FDCWD, path_.c_str(), times, 0), 0);
  }
  static std::string check(const MappedFile& file) {
    const auto mapping = find_mapping(file.bytes().data());
    if (!mapping) return "not watched";
    const auto checked = check_mapping(*mapping);
    return checked ? "unchanged" : checked.error().code;
  }
  static std::size_t count(const MappedFile& file, std::uint8_t byte) {
    return static_cast<std::size_t>(std::ranges::count(file.bytes(), byte));
  }

  TempDir folder_;
  const std::filesystem::path path_ = folder_ / "weights.safetensors";
};

TEST_F(MappedFilesTest, AFileThatIsCutShortBecomesZerosAndIsTold) {
  for (const std::size_t left : {std::size_t{0}, std::size_t{100}, 3 * std::size_t{4096}}) {
    write();
    const auto file = MappedFile::open(path_);
    ASSERT_TRUE(file);
    EXPECT_EQ(check(*file), "unchanged");
    ASSERT_EQ(::truncate(path_.c_str(), static_cast<off_t>(left)), 0);
    EXPECT_EQ(count(*file, 'w'), left) << "reading goes on";
    EXPECT_EQ(check(*file), "model_files_changed");
    // Grown again, the bytes that were read are still not the file's.
    ASSERT_EQ(::truncate(path_.c_str(), kPages * 4096), 0);
    EXPECT_EQ(check(*file), "model_files_changed");
  }
}

TEST_F(MappedFilesTest, BytesWrittenInPlaceAreTold) {
  const auto file = MappedFile::open(path_);
  const int fd = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
  ASSERT_EQ(::pwrite(fd, "x", 1, 5000), 1);
  ::close(fd);
  EXPECT_EQ(check(*file), "model_files_changed");
}

TEST_F(MappedFilesTest, AFileThatWasReplacedOrRemovedIsAsItWas) {
  const auto file = MappedFile::open(path_);
  ASSERT_TRUE(write_file(path_, "another"));  // renames
  EXPECT_EQ(check(*file), "unchanged");
  ASSERT_TRUE(std::filesystem::remove(path_));
  EXPECT_EQ(check(*file), "unchanged");
  EXPECT_EQ(count(*file, 'w'), kPages * 4096);
}

TEST_F(MappedFilesTest, OneOfSeveralIsToldApart) {
  const auto other = folder_ / "other";
  ASSERT_TRUE(write_file(other, std::string(4096, 'o')));
  const auto good = MappedFile::open(other);
  {
    const auto cut = MappedFile::open(path_);
    ASSERT_EQ(::truncate(path_.c_str(), 0), 0);
    EXPECT_EQ(count(*cut, 0), kPages * 4096);
    EXPECT_EQ(check(*cut), "model_files_changed");
  }
  EXPECT_EQ(check(*good), "unchanged");
}

TEST_F(MappedFilesTest, MovingKeepsTheWatchAndClosingEndsIt) {
  auto file = MappedFile::open(path_);
  const auto moved = std::make_unique<MappedFile>(*std::move(file));
  EXPECT_EQ(check(*moved), "unchanged");
  const auto* address = moved->bytes().data();
  std::make_unique<MappedFile>(std::move(*moved)).reset();
  EXPECT_FALSE(find_mapping(address));
}

TEST_F(MappedFilesTest, WhatIsNoRegularFileIsRefusedWithoutWaiting) {
  const auto pipe = folder_ / "pipe.safetensors";
  ASSERT_EQ(::mkfifo(pipe.c_str(), 0600), 0);
  for (const auto& path :
       {pipe, std::filesystem::path(folder_ / "."), std::filesystem::path("/dev/zero")}) {
    EXPECT_FALSE(MappedFile::open(path)) << path;
    EXPECT_FALSE(read_file(path, 1000)) << path;
  }
}

}  // namespace
}  // namespace limner
