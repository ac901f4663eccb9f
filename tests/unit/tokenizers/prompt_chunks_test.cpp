#include "diffusion/tokenizers/prompt_chunks.hpp"

#include <string>

#include <gtest/gtest.h>

#include "diffusion/tokenizers/lora_tags.hpp"

namespace limner::tokenizers {
namespace {

using Ids = std::vector<TokenId>;
using Weights = std::vector<float>;

const Frame kFrame{.before = {100}, .after = {101}, .pad = 0};
const ChunkRules kRules{.window = 5, .chunks_max = 3};

// Each letter is a token: its place in the alphabet.
Ids letters(std::string_view text) {
  Ids ids;
  for (const char c : text) ids.push_back(c - 'a' + 1);
  return ids;
}

TEST(PromptChunks, AShortPromptIsOneChunk) {
  const auto chunks = make_prompt_chunks({{"a", 1}, {"b", 1.5}}, letters, kFrame, kRules);
  ASSERT_TRUE(chunks);
  ASSERT_EQ(chunks->size(), 1u);
  EXPECT_EQ((*chunks)[0].ids, (Ids{100, 1, 2, 101, 0}));
  EXPECT_EQ((*chunks)[0].attention_mask, (Ids{1, 1, 1, 1, 0}));
  EXPECT_EQ((*chunks)[0].weights, (Weights{1, 1, 1.5, 1, 1}));
}

TEST(PromptChunks, WhatIsTooLongIsCutWhereThatIsAllowed) {
  ChunkRules rules = kRules;
  rules.truncates = true;
  const auto chunks = make_prompt_chunks({{"abcdefghijk", 1}}, letters, kFrame, rules);
  ASSERT_TRUE(chunks);
  ASSERT_EQ(chunks->size(), 3u);
  EXPECT_EQ(chunks->back().ids, (Ids{100, 7, 8, 9, 101}));
  EXPECT_FALSE(make_prompt_chunks({{"abcdefghijk", 1}}, letters, kFrame, kRules));
}

TEST(PromptChunks, AnEmptyPromptIsOneEmptyChunk) {
  const auto chunks = make_prompt_chunks({{"", 1}}, letters, kFrame, kRules);
  ASSERT_TRUE(chunks);
  ASSERT_EQ(chunks->size(), 1u);
  EXPECT_EQ((*chunks)[0].ids, (Ids{100, 101, 0, 0, 0}));
}

TEST(PromptChunks, AFullChunkIsFollowedByAnother) {
  const auto chunks = make_prompt_chunks({{"ab", 1}, {"cd", 2}}, letters, kFrame, kRules);
  ASSERT_TRUE(chunks);
  ASSERT_EQ(chunks->size(), 2u);
  EXPECT_EQ((*chunks)[0].ids, (Ids{100, 1, 2, 3, 101}));
  EXPECT_EQ((*chunks)[0].weights, (Weights{1, 1, 1, 2, 1}));
  EXPECT_EQ((*chunks)[1].ids, (Ids{100, 4, 101, 0, 0}));
  EXPECT_EQ((*chunks)[1].weights, (Weights{1, 2, 1, 1, 1}));
}

TEST(PromptChunks, AnExactFitOpensNoEmptyChunk) {
  const auto chunks = make_prompt_chunks({{"abc", 1}}, letters, kFrame, kRules);
  ASSERT_TRUE(chunks);
  EXPECT_EQ(chunks->size(), 1u);
}

TEST(PromptChunks, BreakPadsTheRestOfItsChunk) {
  const auto chunks = make_prompt_chunks({{"a", 1}, {"b", 1, true}}, letters, kFrame, kRules);
  ASSERT_TRUE(chunks);
  ASSERT_EQ(chunks->size(), 2u);
  EXPECT_EQ((*chunks)[0].ids, (Ids{100, 1, 101, 0, 0}));
  EXPECT_EQ((*chunks)[1].ids, (Ids{100, 2, 101, 0, 0}));
}

TEST(PromptChunks, SaysHowMuchIsTooMuch) {
  const auto tokens = make_prompt_chunks({{"abcdefghijk", 1}}, letters, kFrame, kRules);
  ASSERT_FALSE(tokens);
  EXPECT_EQ(tokens.error().message, "prompt: 11 tokens, this model reads at most 9 (2 too many)");
  const auto chunks = make_prompt_chunks({{"a", 1}, {"b", 1, true}, {"c", 1, true}, {"d", 1, true}},
                                         letters, kFrame, kRules);
  ASSERT_FALSE(chunks);
  EXPECT_EQ(chunks.error().message, "prompt: 4 chunks of 3 tokens, this model reads at most 3");
}

TEST(PromptChunks, ANegativePromptIsPaddedToTheLengthOfThePrompt) {
  auto chunks = make_prompt_chunks({{"a", 1}}, letters, kFrame, kRules);
  ASSERT_TRUE(chunks);
  pad_prompt_chunks(*chunks, 3, kFrame, kRules);
  ASSERT_EQ(chunks->size(), 3u);
  EXPECT_EQ((*chunks)[2].ids, (Ids{100, 101, 0, 0, 0}));
}

TEST(LoraTags, AreTakenOutOfThePrompt) {
  const auto out = extract_lora_tags("a <lora:film grain:0.8>cat<lora:x:-1><lora:plain>!");
  ASSERT_TRUE(out);
  EXPECT_EQ(out->prompt, "a cat!");
  EXPECT_EQ(out->loras, (std::vector<LoraTag>{{"film grain", 0.8f}, {"x", -1}, {"plain", 1}}));
}

TEST(LoraTags, MayHaveAStrengthOfTheirOwnForTheTextEncoders) {
  const LoraTag both{.name = "a", .strength = 1, .text_encoder_strength = 0.5f};
  for (const std::string tag : {"<lora:a:0.5:1>", "<lora:a:te=0.5:unet=1>",
                                "<lora:a:unet=1:te=0.5>", "<lora:a:0.5:unet=1>"}) {
    const auto out = extract_lora_tags(tag);
    ASSERT_TRUE(out) << tag;
    EXPECT_EQ(out->loras, std::vector{both}) << tag;
  }
  const LoraTag same{.name = "a", .strength = 0.5f};
  for (const std::string tag : {"<lora:a:0.5:0.5>", "<lora:a:te=0.5>", "<lora:a:unet=0.5>"}) {
    EXPECT_EQ(extract_lora_tags(tag)->loras, std::vector{same}) << tag;
  }
  for (const std::string tag : {"<lora:a:1:1:1>", "<lora:a:dyn=4>", "<lora:a:te=1:te=1>",
                                "<lora:a:1:>", "<lora:a:te=>", "<lora:a:1:11>"}) {
    EXPECT_FALSE(extract_lora_tags(tag)) << tag;
  }
}

TEST(LoraTags, WhatIsNoTagStaysText) {
  for (const std::string prompt : {"a <b> c", "<lora", "<lora:never closed", "", "<Lora:x:1>"}) {
    const auto out = extract_lora_tags(prompt);
    ASSERT_TRUE(out);
    EXPECT_EQ(out->prompt, prompt);
    EXPECT_TRUE(out->loras.empty());
  }
}

TEST(LoraTags, ABadTagIsNamedByItsNumber) {
  for (const std::string tag : {"<lora:b:x>", "<lora:b:>", "<lora:b:11>", "<lora:b:1:x>",
                                "<lora:b:nan>", "<lora:b:0.8 >"}) {
    const auto out = extract_lora_tags("<lora:a:1>" + tag);
    ASSERT_FALSE(out) << tag;
    EXPECT_EQ(out.error().message,
              "prompt: lora tag 2 must have a strength of -10 to 10, as in <lora:name:0.8>");
  }
  EXPECT_FALSE(extract_lora_tags("<lora:>"));
  std::string many;
  for (int i = 0; i < 17; ++i) many += "<lora:a>";
  EXPECT_FALSE(extract_lora_tags(many));
}

}  // namespace
}  // namespace limner::tokenizers
