#include "diffusion/tokenizers/prompt_weights.hpp"

#include <cmath>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

namespace limner::tokenizers {
namespace {

// "text@weight" of each stretch; '|' between, '/' before one that begins a chunk.
std::string shown(std::string_view prompt) {
  const auto parsed = parse_prompt_weights(prompt);
  if (!parsed) return parsed.error().message;
  std::string out;
  for (const auto& stretch : *parsed) {
    if (!out.empty()) out += '|';
    out +=
        fmt::format("{}{}@{:.4g}", stretch.begins_chunk ? "/" : "", stretch.text, stretch.weight);
  }
  return out;
}

TEST(PromptWeights, ReadsWhatTheWebUiReads) {
  const struct {
    const char* prompt;
    const char* expected;
  } cases[] = {
      {"normal text", "normal text@1"},
      {"an (important) word", "an @1|important@1.1| word@1"},
      {"(unbalanced", "unbalanced@1.1"},
      {"\\(literal\\]", "(literal]@1"},
      {"(unnecessary)(parens)", "unnecessaryparens@1.1"},
      {"a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
       "a @1|house@1.573| @1.1|on@1| a @1.1|hill@0.55|, sun, @1.1|sky@1.464|.@1.1"},
      {"[cat]", "cat@0.9091"},
      {"[[cat]] (dog)", "cat@0.8264| @1|dog@1.1"},
      {"(cat:1.3)", "cat@1.3"},
      {"(cat: 1.3 )", "cat@1.3"},
      {"(cat:+1.5)(dog:-1)", "cat@1.5|dog@-1"},
      {"(cat:.5)", "cat@0.5"},
      {"(cat:0)", "cat@0"},
      {"(a (b:2) c:1.5)", "a @1.5|b@3| c@1.5"},
      {"", "@1"},
      {"()", "@1"},
  };
  for (const auto& c : cases) EXPECT_EQ(shown(c.prompt), c.expected) << c.prompt;
}

TEST(PromptWeights, WhatIsNoWeightIsText) {
  EXPECT_EQ(shown("cat:1.3)"), "cat:1.3)@1");
  EXPECT_EQ(shown("a: b"), "a: b@1");
  EXPECT_EQ(shown("(ratio 16:9, sharp)"), "ratio 16:9, sharp@1.1");
  EXPECT_EQ(shown("(cat:1.2.3)"), "cat:1.2.3@1.1");
  EXPECT_EQ(shown("(cat:)"), "cat:@1.1");
  EXPECT_EQ(shown("smile :) wink ;]"), "smile :) wink ;]@1");
  EXPECT_EQ(shown("[cat:1.3]"), "cat:1.3@0.9091");
}

TEST(PromptWeights, ABackslashEscapesBracketsAndItself) {
  EXPECT_EQ(shown("\\(a\\) \\[b\\] c\\\\d"), "(a) [b] c\\d@1");
  EXPECT_EQ(shown("(\\(a\\):1.2)"), "(a)@1.2");
  EXPECT_EQ(shown("a\\b"), "ab@1");
  EXPECT_EQ(shown("end\\"), "end@1");
}

TEST(PromptWeights, BreakBeginsAChunk) {
  EXPECT_EQ(shown("a cat BREAK a dog"), "a cat@1|/a dog@1");
  EXPECT_EQ(shown("BREAK"), "@1|/@1");
  EXPECT_EQ(shown("(a BREAK b:1.5)"), "a@1.5|/b@1.5");
  EXPECT_EQ(shown("猫，BREAK 犬"), "猫，@1|/犬@1");
  EXPECT_EQ(shown("BREAKFAST at PREBREAK break"), "BREAKFAST at PREBREAK break@1");
}

TEST(PromptWeights, RefusesWeightsAndNestingBeyondReason) {
  EXPECT_EQ(shown("(cat:101)"), "prompt: got a weight of 101, expected -100 to 100");
  EXPECT_EQ(shown("((cat:20):20)"), "prompt: got a weight of 400, expected -100 to 100");
  EXPECT_EQ(shown(std::string(20'000, '(')), "prompt: brackets nest deeper than 64");
  EXPECT_EQ(shown("(cat:" + std::string(400, '9') + ")").find("nan"), std::string::npos);
}

}  // namespace
}  // namespace limner::tokenizers
