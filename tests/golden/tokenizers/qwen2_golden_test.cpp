// Ids of the same prompts and of some more, equal to those of transformers' Qwen2Tokenizer.
#include <boost/json/value_to.hpp>
#include <gtest/gtest.h>

#include "diffusion/tokenizers/qwen2_tokenizer.hpp"
#include "golden_rows.hpp"

namespace limner::tokenizers {
namespace {

void expect_golden(const std::string& folder, std::size_t column) {
  auto tokenizer = Qwen2Tokenizer::load(golden_folder() / folder);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  const auto rows = golden_rows("qwen2.json");
  EXPECT_GE(rows.size(), 500u);
  for (const auto& row : rows) {
    const auto& text = row[0].as_string();
    EXPECT_EQ(tokenizer->encode({text.data(), text.size()}), golden_ids(row[column])) << row[0];
  }
}

TEST(Qwen2Golden, VocabAndMergesGiveTheReferenceIds) {
  expect_golden("qwen2_pair", 1);
}

TEST(Qwen2Golden, TokenizerJsonGivesTheReferenceIds) {
  expect_golden("qwen2_json", 2);
}

}  // namespace
}  // namespace limner::tokenizers
