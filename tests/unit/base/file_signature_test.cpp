#include "base/file_signature.hpp"

#include <string>

#include <gmock/gmock.h>

namespace limner {
namespace {

using ::testing::HasSubstr;
using ::testing::Optional;

TEST(ForeignContent, IsToldByItsFirstBytes) {
  const std::pair<std::string, const char*> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:00", "git lfs pull"},
      {"  \r\n<!doctype HTML>", "web page"},
      {"\xef\xbb\xbf<html lang=en>", "web page"},
      {"<?xml version=\"1.0\"?><Error><Code>AccessDenied</Code>", "web page"},
      {"GGUF\x03", "GGUF"},
      {"PK\x03\x04", "pickle"},
      {"\x80\x02}q", "pickle"},
      {"\x1f\x8b\x08", "unpack"},
      {std::string("\xff\xfe{\0", 4), "UTF-16"},
  };
  for (const auto& [bytes, says] : cases) {
    EXPECT_THAT(foreign_content(bytes), Optional(HasSubstr(says))) << bytes;
  }
}

TEST(ForeignContent, IsNotSeenInFilesOfAModel) {
  for (const char* const bytes :
       {"", "{\"a\": 1}", "#version: 0.2\ni n", "\x0a\x0b\x0a", "version 1"}) {
    EXPECT_EQ(foreign_content(bytes), std::nullopt) << bytes;
    EXPECT_TRUE(check_content(bytes, "x"));
  }
}

TEST(CheckContent, NamesTheFile) {
  const auto checked = check_content("GGUF", "unet/model.safetensors");
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().message, HasSubstr("unet/model.safetensors is GGUF"));
}

}  // namespace
}  // namespace limner
