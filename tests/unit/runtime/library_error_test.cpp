#include "runtime/library_error.hpp"

#include <cerrno>
#include <new>
#include <stdexcept>
#include <system_error>

#include <gtest/gtest.h>

namespace limner::runtime {
namespace {

TEST(LibraryError, IsOursAndKeepsTheLibrarysWordsForTheLog) {
  const auto error = library_error("unet failed", std::runtime_error("at x.cpp:1\nbad shape\n"));
  EXPECT_EQ(error.kind, ErrorKind::Internal);
  EXPECT_EQ(error.message, "unet failed");
  EXPECT_EQ(error.detail, "bad shape");
}

TEST(LibraryError, TellsThatMemoryRanOutHoweverTheLibraryWordsIt) {
  const auto is_told = [](const std::exception& e) {
    const auto error = library_error("unet", e);
    return error.kind == ErrorKind::Unavailable && error.code == "insufficient_memory" &&
           error.retry_after.has_value() && error.message == "unet: out of memory";
  };
  EXPECT_TRUE(is_told(std::bad_alloc()));
  EXPECT_TRUE(is_told(std::bad_array_new_length()));
  EXPECT_TRUE(is_told(std::system_error(ENOMEM, std::generic_category())));
  EXPECT_TRUE(is_told(std::runtime_error("Exception from src/core:\nstd::bad_alloc")));
  EXPECT_TRUE(is_told(std::runtime_error("could not create a memory object: out of memory")));
  EXPECT_TRUE(is_told(std::runtime_error("mmap failed: Cannot allocate memory")));
}

}  // namespace
}  // namespace limner::runtime
