// Ids of the same prompts, equal to those of transformers' T5Tokenizer.
#include <boost/json/value_to.hpp>
#include <gtest/gtest.h>

#include "diffusion/tokenizers/t5_tokenizer.hpp"
#include "golden_rows.hpp"

namespace limner::tokenizers {
namespace {

void expect_golden(const T5Tokenizer& tokenizer, std::size_t column) {
  const auto rows = golden_rows("t5.json");
  EXPECT_GE(rows.size(), 500u);
  for (const auto& row : rows) {
    const auto& text = row[0].as_string();
    EXPECT_EQ(tokenizer.encode({text.data(), text.size()}), golden_ids(row[column])) << row[0];
  }
}

TEST(T5Golden, TokenizerJsonGivesTheReferenceIds) {
  auto tokenizer = T5Tokenizer::load(golden_folder() / "t5_small");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_golden(*tokenizer, 1);
  EXPECT_EQ(tokenizer->model_max_length(), 512u);
  const auto row = tokenizer->encode_padded("a cat", 8);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->ids, (std::vector<TokenId>{24, 141, 15, 13, 1, 0, 0, 0}));
  EXPECT_EQ(row->attention_mask, (std::vector<TokenId>{1, 1, 1, 1, 1, 0, 0, 0}));
}

TEST(T5Golden, SpieceModelGivesTheReferenceIds) {
  auto tokenizer = T5Tokenizer::load(golden_folder() / "t5_spiece");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_golden(*tokenizer, 2);
}

}  // namespace
}  // namespace limner::tokenizers
