#include "diffusion/tokenizers/t5_tokenizer.hpp"

#include <string>

#include <gtest/gtest.h>

#include "tokenizer_folder_maker.hpp"

namespace limner::tokenizers {
namespace {

using Ids = std::vector<TokenId>;

// Ids: <pad> 0, </s> 1, <unk> 2, ▁ 3, then `words`, then a hundred extra ids.
std::string t5_json(const json::array& words) {
  json::array vocab = {{"<pad>", 0.0}, {"</s>", 0.0}, {"<unk>", 0.0}, {"▁", -2.0}};
  vocab.insert(vocab.end(), words.begin(), words.end());
  return json::serialize(json::object{{"model", {{"type", "Unigram"}, {"vocab", vocab}}}});
}

Result<T5Tokenizer> load(const json::array& words) {
  const TempFolder folder;
  folder.write("tokenizer.json", t5_json(words));
  return T5Tokenizer::load(folder.path());
}

TEST(T5Tokenizer, TakesTheTokensWhoseScoresAddUpHighest) {
  auto tokenizer = load({{"▁a", -3}, {"b", -3}, {"▁ab", -7}, {"c", -3}, {"bc", -5.5}});
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("ab"), (Ids{4, 5}));
  EXPECT_EQ(tokenizer->encode("abc"), (Ids{4, 8}));
}

TEST(T5Tokenizer, UnknownCharactersInARowAreOneToken) {
  auto tokenizer = load({{"▁a", -3}, {"b", -3}});
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode("xyz b"), (Ids{3, 2, 3, 5}));
  EXPECT_EQ(tokenizer->encode("a中文b猫"), (Ids{4, 2, 5, 2}));
}

TEST(T5Tokenizer, EndsTheRowWithItsMarkAndPads) {
  auto tokenizer = load({{"▁a", -3}});
  ASSERT_TRUE(tokenizer);
  const auto row = tokenizer->encode_padded("a a", 5);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->ids, (Ids{4, 4, 1, 0, 0}));
  EXPECT_EQ(row->attention_mask, (Ids{1, 1, 1, 0, 0}));
  const auto longer = tokenizer->encode_padded("a a a a a", 5);
  ASSERT_FALSE(longer);
  EXPECT_EQ(longer.error().message, "prompt: 5 tokens, this model reads at most 4 (1 too many)");
  EXPECT_EQ(tokenizer->encode_truncated("a a a a a", 5).ids, (Ids{4, 4, 4, 4, 1}));
}

TEST(T5Tokenizer, FindsMarksAndExtraIdsInTheText) {
  auto tokenizer = load({{"▁a", -3}});
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode("a</s>a"), (Ids{4, 1, 4}));
  EXPECT_EQ(tokenizer->encode("<extra_id_0><extra_id_99>"), (Ids{5, 104}));
}

TEST(T5Tokenizer, AMegabyteOfOneLetterIsNoLongerThanItsSizeAsks) {
  auto tokenizer = load({{"▁a", -3}, {"a", -3}, {"aa", -4}, {"aaaaaaaa", -5}});
  ASSERT_TRUE(tokenizer);
  EXPECT_FALSE(tokenizer->encode(std::string(1 << 20, 'a')).empty());
}

TEST(T5Tokenizer, NamesWhatIsWrongInItsFiles) {
  const TempFolder empty;
  EXPECT_NE(T5Tokenizer::load(empty.path()).error().message.find("neither tokenizer.json nor"),
            std::string::npos);
  const struct {
    const char* file;
    std::string content;
    const char* message;
  } cases[] = {
      {"tokenizer.json", R"({"model": {"type": "BPE"}})", "of type BPE, expected Unigram"},
      {"tokenizer.json", R"({"model": {"vocab": {}}})", "must be a list"},
      {"tokenizer.json", R"({"model": {"vocab": [["a"]]}})", "token 0 is not a pair"},
      {"tokenizer.json", R"({"model": {"vocab": [["a", 0], ["b", 0]]}})", "none with the unknown"},
      {"tokenizer.json", R"({"normalizer": {"precompiled_charsmap": "AAAA"},
                             "model": {"vocab": [["a", 0], ["b", 0], ["c", 0]]}})",
       "charsmap: a trie"},
      {"tokenizer.json", R"({"normalizer": {"precompiled_charsmap": "*"},
                             "model": {"vocab": [["a", 0], ["b", 0], ["c", 0]]}})",
       "precompiled_charsmap: "},
      {"spiece.model", "", "without pieces"},
      {"spiece.model", std::string("\x0A\x7F", 2), "cut short"},
      {"spiece.model", std::string("\x12\x02\x18\x02", 4), "of type 2, expected 1"},
      // One piece with a score that is not a number.
      {"spiece.model", std::string("\x0A\x05\x15\x00\x00\xC0\x7F", 7), "cut short"},
  };
  for (const auto& c : cases) {
    const TempFolder folder;
    folder.write(c.file, c.content);
    const auto tokenizer = T5Tokenizer::load(folder.path());
    ASSERT_FALSE(tokenizer) << c.content;
    EXPECT_NE(tokenizer.error().message.find(c.message), std::string::npos)
        << tokenizer.error().message;
  }
}

TEST(T5Tokenizer, RefusesAnAbsurdNumberOfExtraIds) {
  const TempFolder folder;
  folder.write("tokenizer.json", t5_json({}));
  folder.write("tokenizer_config.json", R"({"extra_ids": 1000000000})");
  EXPECT_FALSE(T5Tokenizer::load(folder.path()));
}

}  // namespace
}  // namespace limner::tokenizers
