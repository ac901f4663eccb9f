#include "weights/scaled_weights.hpp"

#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "toy_tensors.hpp"
#include "weights/quantise.hpp"
#include "weights/tensor_forms.hpp"

namespace limner::weights {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

TensorView of_bytes(DType dtype, Shape shape, std::vector<std::uint8_t> bytes) {
  auto owner = std::make_shared<std::vector<std::uint8_t>>(std::move(bytes));
  return {.dtype = dtype, .shape = std::move(shape), .bytes = *owner, .owner = owner};
}

TensorView text(const std::string& json) {
  return of_bytes(DType::U8, {static_cast<std::int64_t>(json.size())}, {json.begin(), json.end()});
}

constexpr std::uint8_t kOne = 0x38;  // in E4M3
constexpr std::uint8_t kTwo = 0x40;

SafetensorsHeader fp8_layer() {
  SafetensorsHeader file;
  file.tensors["a.weight"] = of_bytes(DType::F8E4M3, {2, 2}, {kOne, kTwo, kTwo, kOne});
  return file;
}

TEST(ScaledWeights, OldAndNewNamesAreOneThing) {
  for (const char* const name : {"a.scale_weight", "a.weight_scale"}) {
    auto file = fp8_layer();
    file.tensors[name] = tensor_of({}, {0.5});
    file.tensors["scaled_fp8"] = of_bytes(DType::F8E4M3, {0}, {});
    file.tensors["b.scaled_fp8"] = of_bytes(DType::F8E4M3, {0}, {});
    file.tensors["a.scale_input"] = tensor_of({}, {7});
    file.tensors["a.input_scale"] = tensor_of({}, {7});
    file.tensors["a.comfy_quant"] = text(R"({"format": "float8_e4m3fn"})");
    const auto done = attach_scales(file, "x.safetensors");
    ASSERT_TRUE(done) << done.error().message;
    ASSERT_EQ(file.tensors.size(), 1u) << name;
    EXPECT_THAT(to_float32(file.tensors.at("a.weight")), ElementsAre(0.5, 1, 1, 0.5));
  }
}

TEST(ScaledWeights, EveryRowMayHaveItsOwn) {
  for (const Shape& shape : {Shape{2}, Shape{2, 1}}) {
    auto file = fp8_layer();
    file.tensors["a.weight_scale"] = tensor_of(shape, {10, 100});
    ASSERT_TRUE(attach_scales(file, "x"));
    const auto& weight = file.tensors.at("a.weight");
    EXPECT_THAT(to_float32(weight), ElementsAre(10, 20, 200, 100));
    EXPECT_THAT(to_float32(rows_of(weight, 1, 1)), ElementsAre(200, 100));
    EXPECT_THAT(to_float32(halves_swapped(weight)), ElementsAre(200, 100, 10, 20));
  }
}

TEST(ScaledWeights, IntegersAreWeightsWithTheirScales) {
  SafetensorsHeader file;
  file.tensors["a.weight"] = of_bytes(DType::I8, {2, 1}, {3, 0xfe});
  EXPECT_FALSE(is_weight(file.tensors.at("a.weight")));
  file.tensors["a.weight_scale"] = tensor_of({2, 1}, {0.5, 2});
  file.tensors["a.comfy_quant"] = text(R"({"format": "int8_tensorwise", "convrot": false})");
  ASSERT_TRUE(attach_scales(file, "x"));
  const auto& weight = file.tensors.at("a.weight");
  EXPECT_TRUE(is_weight(weight));
  EXPECT_THAT(to_float32(weight), ElementsAre(1.5, -4));
  EXPECT_THAT(quantise_rows(weight)->values, ElementsAre(127, -127));
}

TEST(ScaledWeights, WhatIsNotReadIsNamed) {
  const struct {
    const char* tensor;
    TensorView value;
    const char* says;
  } cases[] = {
      {"a.weight_scale_2", zeros({}), "NVFP4"},
      {"a.weight_scale_inv", zeros({1, 1}), "blocks"},
      {"a.weight.absmax", zeros({1}), "bitsandbytes"},
      {"a.qweight", zeros({1}), "GPTQ"},
      {"b.weight_scale", zeros({}), "a scale without a weight"},
      {"a.weight_scale", zeros({1, 2}), "F8_E4M3 [2, 2] with scales F32 [1, 2]"},
      {"a.weight_scale", tensor_of({}, {std::numeric_limits<float>::infinity()}), "not finite"},
      {"a.comfy_quant", text(R"({"format": "nvfp4"})"), "nvfp4"},
      {"a.comfy_quant", text(R"({"format": "int8_tensorwise", "convrot": true})"), "convrot"},
      {"a.comfy_quant", text(R"({"format": "float8_e4m3fn", "group_size": 64})"), "group_size"},
      {"a.comfy_quant", text("?"), "its mark does not say"},
  };
  for (const auto& c : cases) {
    auto file = fp8_layer();
    file.tensors[c.tensor] = c.value;
    const auto done = attach_scales(file, "x.safetensors");
    ASSERT_FALSE(done) << c.tensor << c.says;
    EXPECT_THAT(done.error().message, HasSubstr(c.says));
    EXPECT_THAT(done.error().message, HasSubstr("x.safetensors"));
  }
}

TEST(ScaledWeights, TheHeadersDescriptionCountsToo) {
  auto file = fp8_layer();
  file.metadata["_quantization_metadata"] =
      R"({"format_version": "1.0", "layers": {"a": {"format": "float8_e4m3fn"}}})";
  EXPECT_TRUE(attach_scales(file, "x"));
  file.metadata["_quantization_metadata"] = R"({"layers": {"a": {"format": "mxfp8"}}})";
  const auto done = attach_scales(file, "x");
  ASSERT_FALSE(done);
  EXPECT_THAT(done.error().message, HasSubstr("mxfp8"));
}

TEST(ScaledWeights, EightBitFloatsWithoutScalesAreTheirValues) {
  auto file = fp8_layer();
  ASSERT_TRUE(attach_scales(file, "x"));
  EXPECT_THAT(to_float32(file.tensors.at("a.weight")), ElementsAre(1, 2, 2, 1));
}

}  // namespace
}  // namespace limner::weights
