#include "weights/weight_source.hpp"

#include <filesystem>
#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "support/temp_dir.hpp"

namespace limner::weights {
namespace {

using ::testing::HasSubstr;

std::string one_tensor_file(const std::string& name) {
  const std::string header =
      R"({")" + name + R"(":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}})";
  std::string bytes(8, '\0');
  bytes[0] = static_cast<char>(header.size());
  return bytes + header + "ab";
}

TEST(OpenComponent, ReadsASingleFile) {
  const TempDir dir;
  ASSERT_TRUE(write_file(dir / "model.safetensors", one_tensor_file("x")));
  auto source = open_component(dir.path());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_NE((*source)->find("x"), nullptr);
  EXPECT_EQ((*source)->find("y"), nullptr);
  EXPECT_EQ((*source)->size_bytes(), 2u);
}

TEST(OpenComponent, ReadsShardsThroughTheirIndex) {
  const TempDir dir;
  ASSERT_TRUE(write_file(dir / "s1.safetensors", one_tensor_file("x")));
  ASSERT_TRUE(write_file(dir / "s2.safetensors", one_tensor_file("y")));
  ASSERT_TRUE(write_file(dir / "diffusion_pytorch_model.safetensors.index.json",
                         R"({"weight_map":{"x":"s1.safetensors","y":"s2.safetensors"}})"));
  auto source = open_component(dir.path());
  ASSERT_TRUE(source) << source.error().message;
  EXPECT_THAT((*source)->names(), ::testing::ElementsAre("x", "y"));
}

TEST(OpenComponent, ReadsShardsOfAVariant) {
  for (const char* const index :
       {"diffusion_pytorch_model.safetensors.index.fp16.json",
        "diffusion_pytorch_model.fp16.safetensors.index.json", "model.safetensors.index.fp16.json",
        "model.fp16.safetensors.index.json"}) {
    const TempDir dir;
    ASSERT_TRUE(write_file(dir / "s1.safetensors", one_tensor_file("x")));
    ASSERT_TRUE(write_file(dir / index, R"({"weight_map":{"x":"s1.safetensors"}})"));
    auto source = open_component(dir.path());
    ASSERT_TRUE(source) << index << ": " << source.error().message;
    EXPECT_THAT((*source)->names(), ::testing::ElementsAre("x"));
  }
}

TEST(OpenComponent, RefusesAShardOutsideTheFolder) {
  const TempDir dir;
  ASSERT_TRUE(write_file(dir / "model.safetensors.index.json",
                         R"({"weight_map":{"x":"../secret.safetensors"}})"));
  const auto source = open_component(dir.path());
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error().message, HasSubstr("outside the folder"));
}

TEST(OpenComponent, NamesAMissingShard) {
  const TempDir dir;
  ASSERT_TRUE(
      write_file(dir / "model.safetensors.index.json", R"({"weight_map":{"x":"s1.safetensors"}})"));
  const auto source = open_component(dir.path());
  ASSERT_FALSE(source);
  EXPECT_THAT(source.error().message, HasSubstr("s1.safetensors"));
}

TEST(OpenComponent, SaysWhatItLookedForAndWhyPicklesAreNotRead) {
  const TempDir dir;
  ASSERT_TRUE(write_file(dir / "pytorch_model.bin", "x"));
  const auto source = open_component(dir.path());
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code, "missing_weights");
  EXPECT_THAT(source.error().message, HasSubstr("diffusion_pytorch_model.safetensors"));
  EXPECT_THAT(source.error().message, HasSubstr("safetensors"));
  EXPECT_THAT(source.error().message, HasSubstr(".bin"));
}

TEST(OpenComponent, NamesWeightsOfOtherFormats) {
  for (const char* const file : {"model.gguf", "model.onnx", "unet.ckpt", "flax_model.msgpack"}) {
    const TempDir dir;
    ASSERT_TRUE(write_file(dir / file, "x"));
    const auto source = open_component(dir.path());
    ASSERT_FALSE(source);
    EXPECT_THAT(source.error().message, HasSubstr(file));
  }
}

TEST(OpenComponent, OfSeveralPrecisionsOneIsItsFiles) {
  const TempDir dir;
  for (const char* const file : {"model.safetensors", "model.fp16.safetensors", "pytorch_model.bin",
                                 "diffusion_pytorch_model.non_ema.safetensors"}) {
    ASSERT_TRUE(write_file(dir / file, one_tensor_file("x")));
  }
  const auto files = component_files(dir.path());
  ASSERT_TRUE(files);
  EXPECT_THAT(*files, ::testing::ElementsAre(dir / "model.safetensors"));
}

TEST(OpenComponent, ChangesItsFingerprintWithTheFile) {
  const TempDir dir;
  ASSERT_TRUE(write_file(dir / "model.safetensors", one_tensor_file("x")));
  const std::string before = (*open_component(dir.path()))->fingerprint();
  ASSERT_TRUE(write_file(dir / "model.safetensors", one_tensor_file("longer")));
  EXPECT_NE((*open_component(dir.path()))->fingerprint(), before);
}

}  // namespace
}  // namespace limner::weights
