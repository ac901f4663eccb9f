// Downloads with more in them than a model: two formats, two precisions, pickles, a safety checker.
#include "diffusion/pipelines/model_files.hpp"

#include <string>
#include <vector>

#include <gmock/gmock.h>

#include "base/files.hpp"
#include "diffusion/pipelines/adapters.hpp"
#include "support/temp_dir.hpp"

namespace limner::pipelines {
namespace {

using ::testing::ElementsAre;
using ::testing::UnorderedElementsAre;

class Download : public testing::Test {
 protected:
  Download() {
    index_["unet"] = json::array{"diffusers", "UNet2DConditionModel"};
    index_["vae"] = json::array{"diffusers", "AutoencoderKL"};
    index_["text_encoder"] = json::array{"transformers", "CLIPTextModel"};
    index_["text_encoder_2"] = json::array{nullptr, nullptr};
    index_["safety_checker"] = json::array{"stable_diffusion", "StableDiffusionSafetyChecker"};
    add("model_index.json", json::serialize(index_));
  }

  void add(const std::string& file, const std::string& content = "x") {
    std::filesystem::create_directories((dir_ / file).parent_path());
    ASSERT_TRUE(write_file(dir_ / file, content));
  }
  void add_safetensors() {
    add("unet/diffusion_pytorch_model.safetensors");
    add("vae/diffusion_pytorch_model.safetensors");
    add("text_encoder/model.safetensors");
  }
  void add_ir(const std::vector<std::string>& components) {
    for (const auto& component : components) {
      add(component + "/openvino_model.xml");
      add(component + "/openvino_model.bin");
    }
  }
  std::vector<std::string> files(const ModelParts& parts = {}) {
    std::vector<std::string> names;
    for (const auto& file : find_model_files(dir_.path(), parts).files) {
      names.push_back(file.lexically_relative(dir_.path()).string());
    }
    return names;
  }
  FileFormat format() { return find_model_files(dir_.path(), {}).format; }

  TempDir dir_;
  json::object index_;
};

const std::vector<std::string> kWholeIr = {"unet", "text_encoder", "vae_decoder", "vae_encoder"};

TEST_F(Download, CopiesOfTheWeightsAreNotTheModel) {
  add_safetensors();
  add("unet/diffusion_pytorch_model.fp16.safetensors");
  add("unet/diffusion_pytorch_model.bin");
  add("unet/diffusion_pytorch_model.non_ema.safetensors");
  add("safety_checker/model.safetensors");
  add("text_encoder_2/model.safetensors");
  add("v1-5-pruned.safetensors");
  EXPECT_THAT(files(), UnorderedElementsAre("unet/diffusion_pytorch_model.safetensors",
                                            "vae/diffusion_pytorch_model.safetensors",
                                            "text_encoder/model.safetensors"));
}

TEST_F(Download, WholeSafetensorsWinOverHalfAnIr) {
  add_safetensors();
  add("unet/openvino_model.xml");  // without its .bin
  add("vae_decoder/config.json");
  add_ir({"text_encoder"});
  EXPECT_EQ(format(), FileFormat::Safetensors);
  EXPECT_EQ(files().size(), 3u);
  EXPECT_FALSE(find_model_files(dir_.path(), {}).has_both_formats);
}

TEST_F(Download, WholeIrWinsOverHalfTheSafetensors) {
  add_ir(kWholeIr);
  add("text_encoder/model.safetensors");
  EXPECT_EQ(format(), FileFormat::OpenVinoIr);
  EXPECT_EQ(files().size(), 8u);
}

TEST_F(Download, OfBothTheSafetensorsAreTakenAndItIsKnown) {
  add_safetensors();
  add_ir(kWholeIr);
  const auto found = find_model_files(dir_.path(), {});
  EXPECT_EQ(found.format, FileFormat::Safetensors);
  EXPECT_TRUE(found.has_both_formats);
  EXPECT_EQ(found.files.size(), 3u);
}

TEST_F(Download, PartsFromElsewhereCountInPlaceOfItsOwn) {
  add_safetensors();
  add("other/vae.safetensors");
  add("other/text/model.safetensors");
  EXPECT_THAT(files({.vae = dir_ / "other/vae.safetensors",
                     .text_encoders = {{"text_encoder", dir_ / "other/text"}}}),
              UnorderedElementsAre("unet/diffusion_pytorch_model.safetensors",
                                   "other/vae.safetensors", "other/text/model.safetensors"));
}

TEST_F(Download, AMissingShardLeavesTheFormatUnfinished) {
  add_ir(kWholeIr);
  add_safetensors();
  std::filesystem::remove(dir_ / "unet/diffusion_pytorch_model.safetensors");
  add("unet/diffusion_pytorch_model.safetensors.index.json",
      R"({"weight_map": {"a": "diffusion_pytorch_model-00001-of-00002.safetensors"}})");
  EXPECT_EQ(format(), FileFormat::OpenVinoIr);
}

TEST_F(Download, ASingleFileIsItsOwnWeights) {
  add("model.sft");
  EXPECT_THAT(find_model_files(dir_ / "model.sft", {}).files, ElementsAre(dir_ / "model.sft"));
}

TEST_F(Download, LorasAreFoundUnderEveryEndingThatTheyHave) {
  add("loras/a.safetensors");
  add("loras/style/b.SAFETENSORS");
  add("loras/c.sft");
  add("loras/d.ckpt");
  const auto loras = find_loras(dir_ / "loras");
  ASSERT_TRUE(loras);
  std::vector<std::string> names;
  for (const auto& [name, path] : *loras) names.push_back(name);
  EXPECT_THAT(names, ElementsAre("a", "c", "style/b"));
}

}  // namespace
}  // namespace limner::pipelines
