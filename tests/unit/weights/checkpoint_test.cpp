#include "weights/checkpoint.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "toy_tensors.hpp"
#include "weights/checkpoint_configs.hpp"
#include "weights/checkpoint_names.hpp"

namespace limner::weights {
namespace {

std::string problem(const SafetensorsHeader& file) {
  const auto checkpoint = read_checkpoint(file, "x.safetensors", "");
  return checkpoint ? "" : checkpoint.error().message;
}

// The least that is recognised as Stable Diffusion 1.
SafetensorsHeader tiny_unet(std::int64_t prompt_width = 768) {
  SafetensorsHeader file;
  const std::string root = "model.diffusion_model.";
  const std::string attention = root + "middle_block.1.";
  file.tensors[root + "input_blocks.0.0.weight"] = zeros({8, 4, 3, 3});
  file.tensors[root + "input_blocks.1.0.in_layers.2.weight"] = zeros({8, 8, 3, 3});
  file.tensors[root + "out.2.weight"] = zeros({4, 8, 3, 3});
  file.tensors[attention + "proj_in.weight"] = zeros({8, 8, 1, 1});
  file.tensors[attention + "transformer_blocks.0.attn2.to_k.weight"] = zeros({8, prompt_width});
  file.tensors[root + "output_blocks.0.0.in_layers.2.weight"] = zeros({8, 16, 3, 3});
  return file;
}

TEST(Checkpoint, WhatIsNoCheckpointIsRefusedByName) {
  const struct {
    const char* tensor;
    const char* message;
  } cases[] = {
      {"lora_unet_down_blocks_0.lora_down.weight", "with --lora-dir"},
      {"unet.down_blocks.0.to_q.lora_A.weight", "is a LoRA"},
      {"control_model.time_embed.0.weight", "is a ControlNet"},
      {"model.diffusion_model.x.weight_scale_2", "quantised as NVFP4"},
      {"edm_mean", "Playground"},
      {"nothing.known", "by the names in it"},
  };
  for (const auto& c : cases) {
    SafetensorsHeader file;
    file.tensors[c.tensor] = zeros({1});
    EXPECT_NE(problem(file).find(c.message), std::string::npos) << problem(file);
    EXPECT_TRUE(problem(file).starts_with("x.safetensors: "));
  }
  SafetensorsHeader diffusers;
  diffusers.tensors["conv_in.weight"] = zeros({1});
  diffusers.tensors["down_blocks.0.resnets.0.conv1.weight"] = zeros({1});
  EXPECT_NE(problem(diffusers).find("give the folder"), std::string::npos);
}

TEST(Checkpoint, MissingPartsAreNamedWithTheirFlags) {
  const auto checkpoint = read_checkpoint(tiny_unet(), "x.safetensors", "");
  ASSERT_TRUE(checkpoint) << checkpoint.error().message;
  EXPECT_EQ(checkpoint->missing, (std::vector<std::string>{"text_encoder", "vae"}));
  const auto complete = check_complete(*checkpoint, {}, "x.safetensors");
  ASSERT_FALSE(complete);
  EXPECT_EQ(
      complete.error().message,
      "x.safetensors: a Stable Diffusion 1 checkpoint with no text_encoder and no vae; supply "
      "what is missing with --text-encoder text_encoder=PATH --vae PATH");
  const std::vector<std::string> supplied = {"vae", "text_encoder"};
  EXPECT_TRUE(check_complete(*checkpoint, supplied, "x.safetensors"));
}

TEST(Checkpoint, WithoutAnEncoderThePromptsWidthTellsTheFamily) {
  const auto kind_of = [](const SafetensorsHeader& file) {
    return read_checkpoint(file, "x", "").value().kind;
  };
  EXPECT_EQ(kind_of(tiny_unet(768)), CheckpointKind::StableDiffusion1);
  EXPECT_EQ(kind_of(tiny_unet(1024)), CheckpointKind::StableDiffusion2);
  SafetensorsHeader sdxl = tiny_unet(2048);
  sdxl.tensors["model.diffusion_model.label_emb.0.0.weight"] = zeros({8, 2816});
  EXPECT_EQ(kind_of(sdxl), CheckpointKind::SDXL);
}

TEST(Checkpoint, StableDiffusion2PredictsVUnlessItSaysOtherwise) {
  const auto prediction = [](const SafetensorsHeader& file) {
    return read_checkpoint(file, "x", "").value().scheduler.at("prediction_type").as_string();
  };
  SafetensorsHeader file = tiny_unet(1024);
  EXPECT_EQ(prediction(file), "v_prediction");
  file.metadata["modelspec.prediction_type"] = "epsilon";
  EXPECT_EQ(prediction(file), "epsilon");
  SafetensorsHeader sd1 = tiny_unet(768);
  EXPECT_EQ(prediction(sd1), "epsilon");
  sd1.tensors["v_pred"] = zeros({});
  EXPECT_EQ(prediction(sd1), "v_prediction");
}

TEST(Checkpoint, TensorsWithoutAPlaceAreListed) {
  SafetensorsHeader file = tiny_unet();
  file.tensors["model.diffusion_model.input_blocks.7.9.strange"] = zeros({1});
  file.tensors["something.else"] = zeros({1});
  file.tensors["model_ema.decay"] = zeros({1});
  const auto checkpoint = read_checkpoint(file, "x", "");
  ASSERT_TRUE(checkpoint);
  EXPECT_EQ(checkpoint->unknown,
            (std::vector<std::string>{"model.diffusion_model.input_blocks.7.9.strange",
                                      "something.else"}));
}

TEST(Checkpoint, AShapeThatCannotBeSplitIsAnErrorNamingTheTensor) {
  SafetensorsHeader file;
  const std::string root = "joint_blocks.0.context_block.";
  file.tensors[root + "attn.qkv.weight"] = zeros({2, 4});
  EXPECT_NE(problem(file).find("joint_blocks.0.context_block.attn.qkv.weight of shape [2, 4]"),
            std::string::npos)
      << problem(file);
}

TEST(Checkpoint, FluxWithGuidanceShiftsItsTimestepsByImageSize) {
  EXPECT_EQ(scheduler_config(CheckpointKind::Flux, false, true).at("use_dynamic_shifting"), true);
  EXPECT_EQ(scheduler_config(CheckpointKind::Flux, false, false).at("shift"), 1.0);
}

TEST(CheckpointNames, OpenClipsUnusedLastBlockIsLeftOut) {
  NetworkTensors network;
  network.tensors["transformer.resblocks.22.ln_1.weight"] = zeros({1});
  network.tensors["transformer.resblocks.23.ln_1.weight"] = zeros({1});
  std::vector<std::string> unknown;
  const auto placed = place_all(network, open_clip_names(false, true), unknown);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->size(), 1u);
  EXPECT_TRUE(placed->contains("text_model.encoder.layers.22.layer_norm1.weight"));
  EXPECT_TRUE(unknown.empty());
}

TEST(CheckpointNames, OpenClipsProjectionIsALinearLayerUnderThatName) {
  NetworkTensors network;
  network.tensors["text_projection.weight"] = tensor_of({1, 2}, {1, 2});
  std::vector<std::string> unknown;
  const auto placed = place_all(network, open_clip_names(true, false), unknown);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->at("text_projection.weight").shape, (Shape{1, 2}));
  EXPECT_TRUE(place_all(network, open_clip_names(false, true), unknown)->empty());
  EXPECT_TRUE(unknown.empty());
}

TEST(CheckpointNames, ATensorOfAnOddDtypeIsNotSplit) {
  TensorView odd = zeros({6, 2});
  odd.dtype = DType::Other;
  odd.other_dtype = "F4";
  NetworkTensors network;
  network.tensors["transformer.resblocks.0.attn.in_proj_weight"] = odd;
  std::vector<std::string> unknown;
  const auto placed = place_all(network, open_clip_names(true, false), unknown);
  ASSERT_FALSE(placed);
  EXPECT_NE(placed.error().message.find("in_proj_weight is F4"), std::string::npos);
}

TEST(CheckpointNames, ClipOfOldTransformersLacksAScope) {
  NetworkTensors network;
  network.tensors["embeddings.token_embedding.weight"] = zeros({1, 1});
  network.tensors["embeddings.position_ids"] = zeros({1});
  std::vector<std::string> unknown;
  const auto placed = place_all(network, clip_names(false), unknown);
  ASSERT_TRUE(placed);
  EXPECT_EQ(placed->size(), 1u);
  EXPECT_TRUE(placed->contains("text_model.embeddings.token_embedding.weight"));
}

}  // namespace
}  // namespace limner::weights
