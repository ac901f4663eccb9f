#include "base/base64.hpp"

#include <string>
#include <string_view>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limner {
namespace {

std::vector<std::uint8_t> bytes_of(std::string_view text) {
  return {text.begin(), text.end()};
}

TEST(Base64, MatchesTheVectorsOfRfc4648) {
  const std::pair<std::string_view, std::string_view> vectors[] = {{"", ""},
                                                                   {"f", "Zg=="},
                                                                   {"fo", "Zm8="},
                                                                   {"foo", "Zm9v"},
                                                                   {"foob", "Zm9vYg=="},
                                                                   {"fooba", "Zm9vYmE="},
                                                                   {"foobar", "Zm9vYmFy"}};
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(bytes_of(plain)), encoded);
    auto decoded = base64_decode(encoded);
    ASSERT_TRUE(decoded) << encoded;
    EXPECT_EQ(*decoded, bytes_of(plain));
  }
}

TEST(Base64, RoundTripsEveryLengthAndByte) {
  std::vector<std::uint8_t> bytes;
  for (int i = 0; i < 300; ++i) {
    auto decoded = base64_decode(base64_encode(bytes));
    ASSERT_TRUE(decoded);
    ASSERT_EQ(*decoded, bytes);
    bytes.push_back(static_cast<std::uint8_t>(i * 7));
  }
}

TEST(Base64, TakesMissingPaddingUrlAlphabetAndLineBreaks) {
  EXPECT_EQ(*base64_decode("Zm8"), bytes_of("fo"));
  EXPECT_EQ(*base64_decode("Zm\n9v\r\n"), bytes_of("foo"));
  EXPECT_EQ(*base64_decode("-_-_"), *base64_decode("+/+/"));
}

TEST(Base64, RefusesEverythingElse) {
  for (const std::string_view bad : {"Z", "Zm9v!", "Zg==x", "Z===", "Zm9=v", "Zg=", "\x80\x80"}) {
    const auto decoded = base64_decode(bad);
    EXPECT_FALSE(decoded) << bad;
    if (!decoded) {
      EXPECT_EQ(decoded.error().code, "invalid_base64");
    }
  }
}

}  // namespace
}  // namespace limner
