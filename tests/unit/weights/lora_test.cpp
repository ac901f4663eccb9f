#include "weights/lora.hpp"

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "toy_tensors.hpp"
#include "weights/lora_key.hpp"
#include "weights/lora_names.hpp"
#include "weights/tensor_forms.hpp"

namespace limner::weights {
namespace {

constexpr const char* kToQ = "down_blocks.0.attentions.0.transformer_blocks.0.attn1.to_q";

std::shared_ptr<WeightSource> source_of(TensorMap tensors) {
  return std::make_shared<MapWeightSource>(std::move(tensors), "base");
}

// A UNet of one attention matrix [2, 3] of ones, and conv_in [2, 1, 3, 3] of zeros.
std::vector<LoraBase> toy_model() {
  return {
      {"unet", source_of({{std::string(kToQ) + ".weight", tensor_of({2, 3}, {1, 1, 1, 1, 1, 1})},
                          {"conv_in.weight", zeros({2, 1, 3, 3})}})},
      {"text_encoder",
       source_of({{"text_model.encoder.layers.0.self_attn.q_proj.weight", zeros({2, 2})}})}};
}

// up [2, 1] = (1, 2), down [1, 3] = (10, 20, 30)
SafetensorsHeader rank_one(const std::string& down, const std::string& up) {
  SafetensorsHeader file;
  file.tensors[down] = tensor_of({1, 3}, {10, 20, 30});
  file.tensors[up] = tensor_of({2, 1}, {1, 2});
  return file;
}

std::vector<float> fused(const SafetensorsHeader& file, float strength,
                         const std::vector<LoraBase>& model, std::size_t base = 0,
                         const std::string& name = std::string(kToQ) + ".weight") {
  auto lora = Lora::read({.tensors = file}, "x.safetensors", model);
  if (!lora) {
    ADD_FAILURE() << lora.error().message;
    return {};
  }
  EXPECT_TRUE(lora->leftovers().empty()) << lora->leftovers().front().name;
  const auto shared = std::make_shared<const Lora>(*std::move(lora));
  const auto source = with_loras(model[base].component, model[base].weights, {{shared, strength}});
  const auto* tensor = source->find(name);
  return tensor ? to_float32(*tensor) : std::vector<float>{};
}

TEST(Lora, WithANumberThatIsNoneIsRefusedByTheTensorsName) {
  const std::string down = std::string("unet.") + kToQ + ".lora_A.weight";
  const std::string up = std::string("unet.") + kToQ + ".lora_B.weight";
  for (const float bad : {NAN, -INFINITY, 1e38f}) {
    auto file = rank_one(down, up);
    file.tensors[up] = tensor_of({2, 1}, {1, bad});
    const auto lora = Lora::read({.tensors = file}, "x.safetensors", toy_model());
    ASSERT_FALSE(lora) << bad;
    EXPECT_EQ(lora.error().code, "invalid_lora");
    EXPECT_NE(lora.error().message.find(up), std::string::npos) << lora.error().message;
  }
}

TEST(Lora, EveryStyleOfKeysReachesTheSameWeight) {
  const std::vector<float> expected = {11, 21, 31, 21, 41, 61};
  const std::string flat = "lora_unet_down_blocks_0_attentions_0_transformer_blocks_0_attn1_to_q";
  const std::string original = "lora_unet_input_blocks_1_1_transformer_blocks_0_attn1_to_q";
  const std::string dotted = std::string("unet.") + kToQ;
  const std::string processor =
      "unet.down_blocks.0.attentions.0.transformer_blocks.0.attn1.processor.to_q_lora";
  auto model = toy_model();
  model[0].weights =
      source_of({{std::string(kToQ) + ".weight", tensor_of({2, 3}, {1, 1, 1, 1, 1, 1})},
                 {"conv_in.weight", zeros({2, 1, 3, 3})},
                 {"down_blocks.0.resnets.0.conv1.weight", zeros({2, 2, 3, 3})}});
  const std::vector<std::pair<std::string, std::string>> styles = {
      {flat + ".lora_down.weight", flat + ".lora_up.weight"},
      {original + ".lora_down.weight", original + ".lora_up.weight"},
      {dotted + ".lora_A.weight", dotted + ".lora_B.weight"},
      {dotted + ".lora_A.default.weight", dotted + ".lora_B.default.weight"},
      {dotted + ".lora.down.weight", dotted + ".lora.up.weight"},
      {processor + ".down.weight", processor + ".up.weight"},
      {std::string("base_model.model.") + kToQ + ".lora_A.weight",
       std::string("base_model.model.") + kToQ + ".lora_B.weight"},
  };
  for (const auto& [down, up] : styles) {
    EXPECT_EQ(fused(rank_one(down, up), 1.0f, model), expected) << down;
  }
}

TEST(Lora, AlphaOverRankAndStrengthScaleTheAddition) {
  const std::string key = std::string("unet.") + kToQ;
  auto file = rank_one(key + ".lora_down.weight", key + ".lora_up.weight");
  file.tensors[key + ".alpha"] = tensor_of({}, {0.5});
  EXPECT_EQ(fused(file, 2.0f, toy_model()), (std::vector<float>{11, 21, 31, 21, 41, 61}));
  EXPECT_EQ(fused(file, -0.2f, toy_model()), (std::vector<float>{0, -1, -2, -1, -3, -5}));
}

TEST(Lora, EveryPrefixOfTheDenoiserIsRead) {
  for (const char* const prefix : {"unet.", "model.diffusion_model.", "diffusion_model.",
                                   "transformer.", "base_model.model.", ""}) {
    const std::string key = prefix + std::string(kToQ);
    const auto file = rank_one(key + ".lora_A.weight", key + ".lora_B.weight");
    EXPECT_EQ(fused(file, 1.0f, toy_model())[0], 11) << prefix;
  }
}

// up [2, 4], down [4, 3] of ones: each element of the product is 4 · scale.
SafetensorsHeader rank_four(const std::string& module) {
  SafetensorsHeader file;
  file.tensors[module + ".lora_A.weight"] = tensor_of({4, 3}, std::vector<float>(12, 1));
  file.tensors[module + ".lora_B.weight"] = tensor_of({2, 4}, std::vector<float>(8, 1));
  return file;
}

TEST(Lora, DiffusersHeaderSaysTheScale) {
  const struct {
    const char* header;
    float sum;  // of the weight's 1 and 4 · scale
  } cases[] = {
      {R"({"unet.lora_alpha": 8, "unet.r": 4})", 9},
      {R"({"unet.lora_alpha": 8, "unet.r": 4, "unet.use_rslora": true})", 17},
      {R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"to_k": 1, "attn1.to_q": 2}})", 3},
      {R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"o_q": 2}})", 9},
      {R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"^to_q": 2}})", 9},
      {R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"attn1\\.to_q$": 2}})", 3},
      {R"({"unet.lora_alpha": 8, "unet.use_rslora": true, "unet.alpha_pattern": {"to_q": 1}})", 3},
      {R"({"text_encoder.lora_alpha": 8})", 5},
  };
  for (const auto& c : cases) {
    auto file = rank_four(std::string("unet.") + kToQ);
    file.metadata["lora_adapter_metadata"] = c.header;
    EXPECT_EQ(fused(file, 1.0f, toy_model())[0], c.sum) << c.header;
  }
}

TEST(Lora, PeftsConfigBesideTheFileSaysTheScale) {
  const auto adapter = parse_json(R"({"peft_type": "LORA", "lora_alpha": 6, "use_rslora": true})");
  const auto model = toy_model();
  const LoraFile file{.tensors = rank_four(std::string("base_model.model.") + kToQ),
                      .adapter_config = adapter->get_object()};
  const auto lora = std::make_shared<const Lora>(Lora::read(file, "x", model).value());
  const auto source = with_loras("unet", model[0].weights, {{lora, 1.0f}});
  EXPECT_EQ(to_float32(*source->find(std::string(kToQ) + ".weight"))[0], 13);
}

TEST(Lora, APatternThatIsAnExpressionIsRefused) {
  auto file = rank_four(std::string("unet.") + kToQ);
  file.metadata["lora_adapter_metadata"] =
      R"({"unet.lora_alpha": 8, "unet.alpha_pattern": {"(a+)+to_q": 2}})";
  const auto lora = Lora::read({.tensors = file}, "x.safetensors", toy_model());
  ASSERT_FALSE(lora);
  EXPECT_NE(lora.error().message.find("(a+)+to_q"), std::string::npos) << lora.error().message;
}

TEST(Lora, AConfigOfAnotherMethodIsRefused) {
  const LoraFile file{.tensors = rank_four(std::string("base_model.model.") + kToQ),
                      .adapter_config = parse_json(R"({"peft_type": "LOHA"})")->get_object()};
  const auto lora = Lora::read(file, "x.safetensors", toy_model());
  ASSERT_FALSE(lora);
  EXPECT_NE(lora.error().message.find("LOHA"), std::string::npos);
}

// W + ΔW is [[11, 21, 31], [21, 41, 61]].
TEST(Lora, DoraGivesRowsTheirLengths) {
  const std::string key = std::string("unet.") + kToQ;
  const float first = std::sqrt(11.f * 11 + 21.f * 21 + 31.f * 31);
  for (const char* const ending :
       {".dora_scale", ".lora_magnitude_vector", ".lora_magnitude_vector.weight"}) {
    auto file = rank_one(key + ".lora_A.weight", key + ".lora_B.weight");
    file.tensors[key + ending] = tensor_of({2, 1}, {first * 2, 0});
    const auto sum = fused(file, 1.0f, toy_model());
    ASSERT_EQ(sum.size(), 6u) << ending;
    EXPECT_NEAR(sum[1], 42, 1e-4) << ending;
    EXPECT_EQ(sum[4], 0) << ending;
  }
}

TEST(Lora, DoraOfColumnsIsToldByItsShape) {
  const std::string key = std::string("unet.") + kToQ;
  auto file = rank_one(key + ".lora_down.weight", key + ".lora_up.weight");
  const float second = std::sqrt(21.f * 21 + 41.f * 41);
  file.tensors[key + ".dora_scale"] = tensor_of({1, 3}, {0, second * 3, 0});
  const auto sum = fused(file, 1.0f, toy_model());
  ASSERT_EQ(sum.size(), 6u);
  EXPECT_EQ(sum[0], 0);
  EXPECT_NEAR(sum[1], 63, 1e-4);
  EXPECT_NEAR(sum[4], 123, 1e-4);
}

TEST(Lora, DoraOfAConvolutionCountsItsKernel) {
  SafetensorsHeader file;
  file.tensors["lora_unet_conv_in.lora_down.weight"] =
      tensor_of({1, 1, 3, 3}, {3, 0, 0, 4, 0, 0, 0, 0, 0});
  file.tensors["lora_unet_conv_in.lora_up.weight"] = tensor_of({2, 1, 1, 1}, {1, 10});
  file.tensors["lora_unet_conv_in.lora_magnitude_vector"] = tensor_of({1, 2, 1, 1}, {10, 5});
  const auto sum = fused(file, 1.0f, toy_model(), 0, "conv_in.weight");
  ASSERT_EQ(sum.size(), 18u);
  EXPECT_NEAR(sum[3], 8, 1e-4);
  EXPECT_NEAR(sum[12], 4, 1e-4);
}

TEST(Lora, MagnitudesThatFitNothingLeaveTheirModuleOut) {
  const std::string key = std::string("unet.") + kToQ;
  auto file = rank_one(key + ".lora_down.weight", key + ".lora_up.weight");
  file.tensors[key + ".dora_scale"] = zeros({5});
  const auto lora = Lora::read({.tensors = file}, "x.safetensors", toy_model());
  ASSERT_FALSE(lora);
  EXPECT_NE(lora.error().message.find("magnitudes [5]"), std::string::npos) << lora.error().message;
}

TEST(Lora, AFileOfAnotherMethodIsRefusedWhole) {
  const std::string key = std::string("unet.") + kToQ;
  const std::pair<const char*, const char*> methods[] = {
      {".hada_w1_a", "LoHa"},
      {".lokr_w1", "LoKr"},
      {".oft_blocks", "OFT"},
      {".diff", "a whole difference"},
      {".diff_b", "a whole difference"},
      {".lora_mid.weight", "middle matrix"},
      {".b1.weight", "GLoRA"},
      {".lora_E", "AdaLoRA"},
      {".lora_B.bias", "biases"},
      {".w_norm", "norm"},
  };
  for (const auto& [ending, method] : methods) {
    auto file = rank_one(key + ".lora_down.weight", key + ".lora_up.weight");
    file.tensors["unet.conv_in" + std::string(ending)] = zeros({1});
    const auto lora = Lora::read({.tensors = file}, "x.safetensors", toy_model());
    ASSERT_FALSE(lora) << ending;
    EXPECT_NE(lora.error().message.find(method), std::string::npos) << lora.error().message;
    EXPECT_EQ(lora.error().code, "invalid_lora");
  }
}

TEST(Lora, AConvolutionTakesItsKernelFromTheLowerHalf) {
  SafetensorsHeader file;
  file.tensors["lora_unet_conv_in.lora_down.weight"] =
      tensor_of({1, 1, 3, 3}, {1, 2, 3, 4, 5, 6, 7, 8, 9});
  file.tensors["lora_unet_conv_in.lora_up.weight"] = tensor_of({2, 1, 1, 1}, {1, 10});
  const auto sum = fused(file, 1.0f, toy_model(), 0, "conv_in.weight");
  EXPECT_EQ(sum[8], 9);
  EXPECT_EQ(sum[17], 90);
}

TEST(Lora, TextEncodersHavePrefixesOfTheirOwn) {
  SafetensorsHeader file;
  const std::string key = "lora_te1_text_model_encoder_layers_0_self_attn_q_proj";
  file.tensors[key + ".lora_down.weight"] = tensor_of({1, 2}, {1, 2});
  file.tensors[key + ".lora_up.weight"] = tensor_of({2, 1}, {1, 3});
  EXPECT_EQ(
      fused(file, 1.0f, toy_model(), 1, "text_model.encoder.layers.0.self_attn.q_proj.weight"),
      (std::vector<float>{1, 2, 3, 6}));
}

TEST(LoraKey, EveryPrefixNamesItsNetwork) {
  const struct {
    const char* prefix;
    const char* component;
  } cases[] = {
      {"lora_unet_", ""},
      {"lora_transformer_", ""},
      {"lycoris_", ""},
      {"model.diffusion_model.", ""},
      {"diffusion_model.", ""},
      {"transformer.", ""},
      {"unet.", ""},
      {"base_model.model.", ""},
      {"lora_te_", "text_encoder"},
      {"lora_te1_", "text_encoder"},
      {"text_encoder.", "text_encoder"},
      {"base_model.model.text_model.", "text_encoder"},
      {"text_encoders.clip_l.transformer.", "text_encoder"},
      {"lora_te2_", "text_encoder_2"},
      {"text_encoder_2.", "text_encoder_2"},
      {"clip_g.transformer.", "text_encoder_2"},
      {"lora_te3_", "text_encoder_3"},
      {"text_encoders.t5xxl.transformer.", "text_encoder_3"},
  };
  for (const auto& c : cases) {
    const auto key = parse_lora_key(c.prefix + std::string("block_0.lora_down.weight"));
    ASSERT_TRUE(key) << c.prefix;
    EXPECT_EQ(key->component, c.component) << c.prefix;
    EXPECT_TRUE(key->module.ends_with("block_0")) << key->module;
  }
}

TEST(Lora, WhatDoesNotApplyIsNamedWithItsReason) {
  const std::string key = std::string("unet.") + kToQ;
  auto file = rank_one(key + ".lora_down.weight", key + ".lora_up.weight");
  file.tensors["unet.nowhere.lora_down.weight"] = zeros({1, 3});
  file.tensors["unet.nowhere.lora_up.weight"] = zeros({2, 1});
  file.tensors["unet.conv_in.lora_down.weight"] = zeros({1, 7});
  file.tensors["unet.conv_in.lora_up.weight"] = zeros({2, 1});
  file.tensors["unet.half.lora_down.weight"] = zeros({1, 3});
  file.tensors["lora_te2_text_model_x.lora_down.weight"] = zeros({1, 3});
  file.tensors["lora_te2_text_model_x.lora_up.weight"] = zeros({1, 3});
  file.tensors["strange"] = zeros({1});
  const auto lora = Lora::read({.tensors = file}, "x.safetensors", toy_model());
  ASSERT_TRUE(lora) << lora.error().message;
  const auto reason = [&](std::string_view name) {
    const auto it = std::ranges::find(lora->leftovers(), name, &LoraLeftover::name);
    return it == lora->leftovers().end() ? std::string() : it->reason;
  };
  EXPECT_EQ(reason("unet.nowhere.lora_down.weight"), "the model has no such module");
  EXPECT_EQ(reason("unet.conv_in.lora_up.weight"),
            "[2, 1] and [1, 7] do not multiply to the weight's [2, 1, 3, 3]");
  EXPECT_EQ(reason("unet.half.lora_down.weight"), "lacks its other half");
  EXPECT_EQ(reason("lora_te2_text_model_x.lora_up.weight"), "the model has no text_encoder_2");
  EXPECT_EQ(reason("strange"), "is not a LoRA's tensor");
  EXPECT_EQ(reason(key + ".lora_down.weight"), "");
}

TEST(Lora, AFileOfWhichNothingFitsIsRefused) {
  const auto file = rank_one("unet.x.lora_down.weight", "unet.x.lora_up.weight");
  const auto lora = Lora::read({.tensors = file}, "x.safetensors", toy_model());
  ASSERT_FALSE(lora);
  EXPECT_EQ(
      lora.error().message,
      "x.safetensors: nothing in this LoRA fits the model; unet.x.lora_down.weight: the model "
      "has no such module");
}

TEST(Lora, SeveralAddUpAndAnUntouchedComponentStaysWhatItIs) {
  const auto model = toy_model();
  const std::string key = std::string("unet.") + kToQ;
  const auto file = rank_one(key + ".lora_down.weight", key + ".lora_up.weight");
  const auto lora = std::make_shared<const Lora>(
      Lora::read({.tensors = file, .fingerprint = "x|1"}, "x", model).value());
  const auto both = with_loras("unet", model[0].weights, {{lora, 1.0f}, {lora, 0.5f}});
  EXPECT_EQ(to_float32(*both->find(std::string(kToQ) + ".weight"))[0], 16);
  EXPECT_EQ(both->find("conv_in.weight"), model[0].weights->find("conv_in.weight"));
  EXPECT_EQ(both->find("none"), nullptr);
  EXPECT_EQ(both->fingerprint(), "base + 1 * x|1 + 0.5 * x|1");
  EXPECT_EQ(with_loras("text_encoder", model[1].weights, {{lora, 1.0f}}), model[1].weights);
  EXPECT_EQ(with_loras("unet", model[0].weights, {{lora, 0.0f}}), model[0].weights);
}

TEST(LoraKey, OldProcessorsWroteToOutWithoutItsIndex) {
  const auto key = parse_lora_key("unet.mid_block.attn1.processor.to_out_lora.up.weight");
  ASSERT_TRUE(key);
  EXPECT_EQ(key->module, "mid_block_attn1_to_out_0");
  EXPECT_EQ(key->part, LoraPart::Up);
  EXPECT_FALSE(parse_lora_key("unet.conv_in.weight"));
}

TEST(LoraNames, OneModuleOfFluxIsSeveralWeights) {
  const auto network = source_of({
      {"x_embedder.weight", zeros({4, 2})},
      {"transformer_blocks.0.attn.to_q.weight", zeros({4, 4})},
      {"single_transformer_blocks.0.attn.to_q.weight", zeros({4, 4})},
  });
  const LoraNames names(*network);
  const auto qkv = names.find("double_blocks_0_txt_attn_qkv", 12);
  ASSERT_EQ(qkv.size(), 3u);
  EXPECT_EQ(qkv[1].name, "transformer_blocks.0.attn.add_k_proj.weight");
  EXPECT_EQ(qkv[1].first_row, 4);
  const auto linear1 = names.find("single_blocks_0_linear1", 28);
  ASSERT_EQ(linear1.size(), 4u);
  EXPECT_EQ(linear1[3].name, "single_transformer_blocks.0.proj_mlp.weight");
  EXPECT_EQ(linear1[3].first_row, 12);
  EXPECT_EQ(linear1[3].row_count, 16);
  EXPECT_TRUE(names.find("double_blocks_1_img_attn_qkv", 12).empty());
}

TEST(TensorForms, PartsReshapesTransposesAndSwaps) {
  const auto tensor = tensor_of({4, 2}, {0, 1, 2, 3, 4, 5, 6, 7});
  EXPECT_EQ(to_float32(rows_of(tensor, 1, 2)), (std::vector<float>{2, 3, 4, 5}));
  EXPECT_EQ(rows_of(tensor, 1, 2).shape, (Shape{2, 2}));
  EXPECT_EQ(to_float32(transposed(tensor)), (std::vector<float>{0, 2, 4, 6, 1, 3, 5, 7}));
  EXPECT_EQ(transposed(tensor).shape, (Shape{2, 4}));
  EXPECT_EQ(to_float32(halves_swapped(tensor)), (std::vector<float>{4, 5, 6, 7, 0, 1, 2, 3}));
  EXPECT_EQ(reshaped(tensor, {8}).shape, (Shape{8}));
}

}  // namespace
}  // namespace limner::weights
