// Ids of 601 prompts, equal to those of transformers' CLIPTokenizer.
#include <fstream>

#include <boost/json/value_to.hpp>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "diffusion/tokenizers/clip_tokenizer.hpp"
#include "golden_rows.hpp"

namespace limner::tokenizers {
namespace {

std::filesystem::path full_vocabulary() {
  return std::filesystem::path(LIMNER_SOURCE_DIR) / "tests/golden/tokenizers/clip_full";
}

// The full vocabulary as a tokenizer.json whose marks are not normalised, as newer exporters write.
std::filesystem::path write_tokenizer_json() {
  const auto folder = std::filesystem::path(testing::TempDir()) / "clip_tokenizer_json";
  std::filesystem::create_directories(folder);
  json::array merges;
  std::ifstream lines(full_vocabulary() / "merges.txt");
  for (std::string line; std::getline(lines, line);) {
    const auto space = line.find(' ');
    if (line.starts_with("#version") || space == line.npos) continue;
    merges.push_back(json::array{line.substr(0, space), line.substr(space + 1)});
  }
  const json::object tokenizer = {
      {"added_tokens",
       {{{"id", 49406}, {"content", "<|startoftext|>"}, {"normalized", false}, {"special", true}},
        {{"id", 49407}, {"content", "<|endoftext|>"}, {"normalized", false}, {"special", true}}}},
      {"model",
       {{"type", "BPE"},
        {"vocab", read_json_file(full_vocabulary() / "vocab.json").value()},
        {"merges", merges}}}};
  EXPECT_TRUE(write_file(folder / "tokenizer.json", json::serialize(tokenizer)));
  return folder;
}

void expect_golden(const ClipTokenizer& tokenizer, std::size_t column) {
  const auto rows = golden_rows("clip.json");
  EXPECT_GE(rows.size(), 500u);
  for (const auto& row : rows) {
    const auto& text = row[0].as_string();
    const auto& ids = row[column].is_null() ? row[1] : row[column];
    EXPECT_EQ(tokenizer.encode({text.data(), text.size()}), golden_ids(ids)) << row[0];
  }
}

TEST(ClipGolden, VocabAndMergesGiveTheReferenceIds) {
  auto tokenizer = ClipTokenizer::load(full_vocabulary());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_golden(*tokenizer, 1);
  EXPECT_EQ(tokenizer->model_max_length(), 77u);
  EXPECT_EQ(tokenizer->vocab_size(), 49408u);
}

TEST(ClipGolden, TokenizerJsonGivesTheReferenceIds) {
  auto tokenizer = ClipTokenizer::load(write_tokenizer_json());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_golden(*tokenizer, 2);
}

TEST(ClipGolden, ExclamationMarkAsPaddingIsFoundAsATokenOfItsOwn) {
  auto tokenizer = ClipTokenizer::load(golden_folder() / "clip_small");
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  expect_golden(*tokenizer, 3);
  const auto row = tokenizer->encode_padded("a", 5);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->ids, (std::vector<TokenId>{2046, 320, 2047, 0, 0}));
  EXPECT_EQ(row->attention_mask, (std::vector<TokenId>{1, 1, 1, 0, 0}));
}

}  // namespace
}  // namespace limner::tokenizers
