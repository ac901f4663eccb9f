#include "weights/safetensors.hpp"

#include <cstring>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace limner::weights {
namespace {

using ::testing::HasSubstr;

// A file of the format around any header text and data.
std::vector<std::uint8_t> file_of(const std::string& header, std::size_t data_bytes) {
  std::vector<std::uint8_t> bytes(8);
  const std::uint64_t size = header.size();
  std::memcpy(bytes.data(), &size, 8);
  bytes.insert(bytes.end(), header.begin(), header.end());
  for (std::size_t i = 0; i < data_bytes; ++i) bytes.push_back(static_cast<std::uint8_t>(i));
  return bytes;
}

Result<SafetensorsHeader> parse(const std::vector<std::uint8_t>& bytes) {
  return parse_safetensors(bytes, nullptr, "weights.safetensors");
}

Result<SafetensorsHeader> parse(const std::string& header, std::size_t data_bytes) {
  // The views outlive the call in a successful parse, so the bytes are kept.
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(file_of(header, data_bytes));
  return parse_safetensors(*bytes, bytes, "weights.safetensors");
}

TEST(Safetensors, GivesEachTensorItsDtypeShapeAndBytes) {
  auto header = parse(
      R"({"a":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},)"
      R"("b":{"dtype":"BF16","shape":[],"data_offsets":[8,10]},"__metadata__":{"format":"pt"}})",
      10);
  ASSERT_TRUE(header) << header.error().message;
  ASSERT_EQ(header->tensors.size(), 2u);
  const auto& a = header->tensors.at("a");
  EXPECT_EQ(a.dtype, DType::F32);
  EXPECT_EQ(a.shape, (Shape{2, 1}));
  EXPECT_EQ(a.bytes.size(), 8u);
  EXPECT_EQ(a.bytes[1], 1);
  EXPECT_EQ(header->tensors.at("b").bytes[0], 8);
  EXPECT_EQ(header->metadata.at("format"), "pt");
}

TEST(Safetensors, KeepsAnEmptyTensor) {
  auto header = parse(R"({"a":{"dtype":"F32","shape":[0,4],"data_offsets":[0,0]}})", 0);
  ASSERT_TRUE(header) << header.error().message;
  EXPECT_EQ(header->tensors.at("a").bytes.size(), 0u);
}

// U16 to C64 are the format's; F9 is one of a version to come.
TEST(Safetensors, KeepsATensorThatNothingComputesWith) {
  const struct {
    const char* dtype;
    std::size_t bytes;
  } cases[] = {{"U16", 16},        {"U32", 32},    {"U64", 64}, {"C64", 64}, {"F8_E8M0", 8},
               {"F8_E4M3FNUZ", 8}, {"F6_E2M3", 6}, {"F4", 4},   {"F9", 9}};
  for (const auto& c : cases) {
    const std::string end = std::to_string(c.bytes);
    const auto header = parse(std::string(R"({"a":{"dtype":")") + c.dtype +
                                  R"(","shape":[8],"data_offsets":[0,)" + end + R"(]}})",
                              c.bytes);
    ASSERT_TRUE(header) << header.error().message;
    EXPECT_EQ(header->tensors.at("a").dtype, DType::Other) << c.dtype;
    EXPECT_EQ(dtype_name(header->tensors.at("a")), c.dtype);
    EXPECT_FALSE(is_weight(header->tensors.at("a")));
  }
}

TEST(Safetensors, SaysWhatAFileIsInstead) {
  const std::pair<std::string, const char*> cases[] = {
      {"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 4\n", "git lfs pull"},
      {"\n<!DOCTYPE html><html><head>", "web page"},
      {"<HTML>", "web page"},
      {"GGUF\x03" + std::string(30, '\0'), "GGUF"},
      {"PK\x03\x04" + std::string(30, '\0'), "pickle"},
      {"\x80\x02" + std::string(30, '\0'), "pickle"},
      {"Entry not found", "text that begins \"Entry not found\""},
      {"", "empty"},
      {std::string("\xff\0\0\0\0\0\0\0{\"a\":", 13), "cut off"},
  };
  for (const auto& [bytes, says] : cases) {
    const auto header = parse(std::vector<std::uint8_t>(bytes.begin(), bytes.end()));
    ASSERT_FALSE(header);
    EXPECT_THAT(header.error().message, HasSubstr(says));
  }
}

struct BadFile {
  const char* name;
  std::string header;
  std::size_t data_bytes;
  const char* says;
};

class BadSafetensors : public ::testing::TestWithParam<BadFile> {};

TEST_P(BadSafetensors, IsRefusedWithItsReason) {
  const auto header = parse(GetParam().header, GetParam().data_bytes);
  ASSERT_FALSE(header);
  EXPECT_THAT(header.error().message, HasSubstr(GetParam().says));
  EXPECT_THAT(header.error().message, HasSubstr("weights.safetensors"));
}

INSTANTIATE_TEST_SUITE_P(
    All, BadSafetensors,
    ::testing::Values(
        BadFile{"offset_outside", R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}})", 8,
                "truncated"},
        BadFile{"negative", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[-8,0]}})", 8,
                "tensor a"},
        BadFile{"end_before_begin", R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}})", 8,
                "tensor a"},
        BadFile{"shape_mismatch", R"({"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}})", 8,
                "does not match"},
        BadFile{
            "shape_overflow",
            R"({"a":{"dtype":"F32","shape":[4194305,4194305,211106198978564],"data_offsets":[0,8]}})",
            8, "does not match"},
        BadFile{"negative_side", R"({"a":{"dtype":"F32","shape":[-2],"data_offsets":[0,8]}})", 8,
                "shape"},
        BadFile{
            "overlap",
            R"({"a":{"dtype":"U8","shape":[4],"data_offsets":[0,4]},"b":{"dtype":"U8","shape":[4],"data_offsets":[2,6]}})",
            6, "overlaps"},
        BadFile{
            "hole",
            R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]},"b":{"dtype":"U8","shape":[2],"data_offsets":[4,6]}})",
            6, "hole"},
        BadFile{"trailing", R"({"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})", 6,
                "after the last"},
        BadFile{"half_a_byte", R"({"a":{"dtype":"F4","shape":[3],"data_offsets":[0,2]}})", 2, "F4"},
        BadFile{"not_an_object", R"(["a"])", 0, "not a JSON object"},
        BadFile{"broken_json", R"({"a":)", 0, "not JSON"},
        BadFile{"missing_offsets", R"({"a":{"dtype":"U8","shape":[2]}})", 2, "data_offsets"},
        BadFile{"rank", R"({"a":{"dtype":"U8","shape":[1,1,1,1,1,1,1,1,1],"data_offsets":[0,1]}})",
                1, "dimensions"},
        BadFile{"fractional_side", R"({"a":{"dtype":"U8","shape":[1.5],"data_offsets":[0,1]}})", 1,
                "shape"}),
    [](const auto& test) { return std::string(test.param.name); });

TEST(Safetensors, RefusesAHeaderLongerThanTheFile) {
  std::vector<std::uint8_t> bytes(8, 0xff);
  EXPECT_FALSE(parse(bytes));
  bytes = {16, 0, 0, 0, 0, 0, 0, 0, '{', '}'};
  EXPECT_FALSE(parse(bytes));
  EXPECT_FALSE(parse(std::vector<std::uint8_t>{1, 2, 3}));
}

TEST(TensorView, ReadsEveryHalfAsTheHardwareDoes) {
  EXPECT_EQ(half_to_float(0x3c00), 1.0f);
  EXPECT_EQ(half_to_float(0xc000), -2.0f);
  EXPECT_EQ(half_to_float(0x0001), 5.9604644775390625e-08f);
  EXPECT_EQ(half_to_float(0x7bff), 65504.0f);
  for (std::uint32_t bits = 0; bits < 0x10000; ++bits) {
    const auto half = static_cast<std::uint16_t>(bits);
    if ((half & 0x7c00) == 0x7c00 && (half & 0x3ff)) continue;  // not a number
    ASSERT_EQ(float_to_half(half_to_float(half)), half) << bits;
  }
}

TEST(TensorView, RoundsHalvesToEven) {
  EXPECT_EQ(float_to_half(1.0f + 1.0f / 2048), 0x3c00);
  EXPECT_EQ(float_to_half(1.0f + 3.0f / 2048), 0x3c02);
  EXPECT_EQ(float_to_half(70000.0f), 0x7c00);
}

}  // namespace
}  // namespace limner::weights
