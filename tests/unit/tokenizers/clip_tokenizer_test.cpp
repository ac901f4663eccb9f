#include "diffusion/tokenizers/clip_tokenizer.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/json.hpp"
#include "tokenizer_folder_maker.hpp"

namespace limner::tokenizers {
namespace {

using Ids = std::vector<TokenId>;

TEST(ClipTokenizer, MergesTheEarliestPairFirst) {
  // Ids: 256 bytes, 256 bytes with </w>, then the merged tokens in order.
  const TempFolder folder;
  folder.write_clip({"a b", "c d</w>", "b c", "ab c"});
  auto tokenizer = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("abcd"), (Ids{kMerged + 0, kMerged + 1}));
  EXPECT_EQ(tokenizer->encode("abce"), (Ids{kMerged + 3, byte_end('e')}));
  EXPECT_EQ(tokenizer->encode("bce"), (Ids{kMerged + 2, byte_end('e')}));
}

TEST(ClipTokenizer, FramesAndPadsToTheLengthAskedFor) {
  const TempFolder folder;
  folder.write_clip({});
  auto tokenizer = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(tokenizer);
  const auto row = tokenizer->encode_padded("ab", 6);
  ASSERT_TRUE(row);
  EXPECT_EQ(row->ids, (Ids{kStart, byte('a'), byte_end('b'), kEnd, kEnd, kEnd}));
  EXPECT_EQ(row->attention_mask, (Ids{1, 1, 1, 1, 0, 0}));
}

TEST(ClipTokenizer, SaysByHowManyTokensAPromptIsTooLong) {
  const TempFolder folder;
  folder.write_clip({});
  auto tokenizer = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(tokenizer);
  const std::string prompt(91, '1');  // a digit is always a token of its own
  EXPECT_TRUE(tokenizer->encode_padded(prompt.substr(0, 75), 77));
  const auto row = tokenizer->encode_padded(prompt, 77);
  ASSERT_FALSE(row);
  EXPECT_EQ(row.error().message, "prompt: 91 tokens, this model reads at most 75 (16 too many)");
  EXPECT_EQ(row.error().param, "prompt");

  const auto cut = tokenizer->encode_truncated(prompt, 77);
  EXPECT_EQ(cut.ids.size(), 77u);
  EXPECT_EQ(cut.ids.front(), kStart);
  EXPECT_EQ(cut.ids.back(), kEnd);
}

TEST(ClipTokenizer, ReadsMalformedBytesAsReplacementCharacters) {
  const TempFolder folder;
  folder.write_clip({});
  auto tokenizer = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(tokenizer);
  const Ids replacement = tokenizer->encode("\uFFFD");
  for (const std::string bytes : {"\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "\x80"}) {
    EXPECT_EQ(tokenizer->encode(bytes), replacement);
  }
  EXPECT_EQ(tokenizer->encode("\xED\xA0\x80"), tokenizer->encode("\uFFFD\uFFFD\uFFFD"));
}

TEST(ClipTokenizer, AMegabyteOfOneLetterIsNoLongerThanItsSizeAsks) {
  const TempFolder folder;
  folder.write_clip({"a a", "aa aa", "aaaa aaaa"});
  auto tokenizer = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(tokenizer);
  const auto ids = tokenizer->encode(std::string(1 << 20, 'a'));
  EXPECT_EQ(ids.size(), (1u << 17) + 3u);  // eights, and 4 + 2 + 1 + "a</w>" in place of the last
  // Marks in falling order of their class, which a library's insertion sort takes n² steps for.
  std::string marks = "a";
  for (int i = 0; i < 1 << 18; ++i) marks += i % 2 ? "\u0323" : "\u0301";
  EXPECT_FALSE(tokenizer->encode(marks).empty());
}

TEST(ClipTokenizer, TokenizerJsonIsReadBeforeVocabAndMerges) {
  const TempFolder folder;
  folder.write_clip({});
  auto before = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(before);
  EXPECT_EQ(before->encode("ab").size(), 2u);
  folder.write_clip_json({"a b</w>"});
  auto after = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_EQ(after->encode("ab"), (Ids{kMerged}));
}

TEST(ClipTokenizer, NamesWhatIsWrongInItsFiles) {
  const TempFolder empty;
  EXPECT_NE(ClipTokenizer::load(empty.path()).error().message.find("neither tokenizer.json nor"),
            std::string::npos);

  const struct {
    const char* file;
    const char* content;
    const char* message;
  } cases[] = {
      {"merges.txt", "#version: 0.2\nab\n", "merge 2 is not a pair"},
      {"merges.txt", "a zz\n", "of tokens that the vocabulary lacks"},
      {"vocab.json", "[]", "the vocabulary must be an object"},
      {"vocab.json", R"({"a": -1})", "a token's id must be an integer"},
      {"vocab.json", R"({"a": 1})", "no token for byte 0"},
      {"tokenizer.json", R"({"model": {"type": "Unigram"}})", "of type Unigram, expected BPE"},
      {"tokenizer.json", "{", "not JSON"},
      {"tokenizer_config.json", R"({"added_tokens_decoder": {"x": "a"}})", "a key that is no id"},
      {"tokenizer_config.json", R"({"bos_token": 3})", "must be a string or an object"},
      {"tokenizer_config.json", R"({"model_max_length": "x"})", "must be a number"},
      {"special_tokens_map.json", R"({"eos_token": {"content": ""}})", "must have 1 to"},
  };
  for (const auto& c : cases) {
    const TempFolder folder;
    folder.write_clip({});
    folder.write(c.file, c.content);
    const auto tokenizer = ClipTokenizer::load(folder.path());
    ASSERT_FALSE(tokenizer) << c.file << " " << c.content;
    EXPECT_NE(tokenizer.error().message.find(c.message), std::string::npos)
        << tokenizer.error().message;
  }
}

// CLIP's whole vocabulary.
std::filesystem::path whole_vocabulary() {
  return std::filesystem::path(LIMNER_SOURCE_DIR) / "tests/golden/tokenizers/clip_full";
}

void expect_equal(const ClipTokenizer& built_in, const ClipTokenizer& of_folder) {
  EXPECT_EQ(built_in.vocab_size(), of_folder.vocab_size());
  EXPECT_EQ(built_in.model_max_length(), 77U);
  for (const char* text : {"a red cat, 8k!", "", "Ünïcode Café  東京 🍎\n and spaces", "it's!! 1234",
                           "<|startoftext|> a <|ENDOFTEXT|> b", "naïve ﬁ\x01 \xF0\x9F"}) {
    const auto ours = built_in.encode_truncated(text, 77);
    EXPECT_EQ(ours.ids, of_folder.encode_truncated(text, 77).ids) << text;
  }
}

TEST(ClipTokenizer, TheBuiltInOneEncodesAsAFolderWithClipsVocabulary) {
  const auto of_folder = ClipTokenizer::load(whole_vocabulary());
  ASSERT_TRUE(of_folder) << of_folder.error().message;
  expect_equal(ClipTokenizer::built_in("<|endoftext|>"), *of_folder);
}

TEST(ClipTokenizer, TheBuiltInOneTakesOpenClipsPadding) {
  const TempFolder folder;
  folder.write("tokenizer_config.json", R"({"model_max_length": 77})");
  for (const char* file : {"vocab.json", "merges.txt"}) {
    std::filesystem::copy_file(whole_vocabulary() / file, folder.path() / file);
  }
  auto marks = read_file(whole_vocabulary() / "special_tokens_map.json", 4096);
  ASSERT_TRUE(marks);
  auto map = parse_json(*marks);
  ASSERT_TRUE(map);
  map->get_object()["pad_token"] = "!";
  folder.write("special_tokens_map.json", json::serialize(*map));
  const auto of_folder = ClipTokenizer::load(folder.path());
  ASSERT_TRUE(of_folder) << of_folder.error().message;
  const auto built_in = ClipTokenizer::built_in("!");
  EXPECT_EQ(built_in.frame().pad, 0);
  expect_equal(built_in, *of_folder);
}

}  // namespace
}  // namespace limner::tokenizers
