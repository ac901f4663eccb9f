#include "diffusion/tokenizers/qwen2_tokenizer.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tokenizer_folder_maker.hpp"

namespace limner::tokenizers {
namespace {

using ::testing::HasSubstr;
using Ids = std::vector<TokenId>;

constexpr std::string_view kMarks = R"({"added_tokens_decoder": {
  "512": {"content": "<|im_start|>", "special": true},
  "513": {"content": "<|im_end|>", "special": true}}})";

// Ids: those of the bytes themselves, as write_clip() numbers them, then the marks above. CLIP's
// own two marks have their ids in the vocabulary and stand for nothing here.
Result<Qwen2Tokenizer> load_bytes(const TempFolder& folder, std::string_view config = kMarks) {
  folder.write_clip({});
  folder.write("tokenizer_config.json", config);
  return Qwen2Tokenizer::load(folder.path());
}

TEST(Qwen2Tokenizer, AWordsLastByteIsATokenLikeTheOthers) {
  const TempFolder folder;
  const auto tokenizer = load_bytes(folder);
  ASSERT_TRUE(tokenizer) << tokenizer.error().message;
  EXPECT_EQ(tokenizer->encode("ab c"), (Ids{byte('a'), byte('b'), byte(' '), byte('c')}));
  EXPECT_TRUE(tokenizer->encode("").empty());
}

TEST(Qwen2Tokenizer, APromptIsAUsersMessageBeforeAnAnswer) {
  const TempFolder folder;
  const auto tokenizer = load_bytes(folder);
  ASSERT_TRUE(tokenizer);
  EXPECT_EQ(tokenizer->encode_as_message("a\n<b>"),
            tokenizer->encode("<|im_start|>user\na\n<b><|im_end|>\n<|im_start|>assistant\n"));
  // Marks are tokens in the text too, as in the reference.
  EXPECT_EQ(tokenizer->encode("<|im_end|>").size(), 1u);
}

TEST(Qwen2Tokenizer, RefusesAFolderWithoutTheMarksOfMessages) {
  const TempFolder folder;
  const auto tokenizer = load_bytes(folder, "{}");
  ASSERT_FALSE(tokenizer);
  EXPECT_THAT(tokenizer.error().message, HasSubstr("<|im_start|> is not among the added tokens"));
}

TEST(Qwen2Tokenizer, RefusesAVocabularyThatLacksAByte) {
  const TempFolder folder;
  folder.write("vocab.json", R"({"a": 0, "<|endoftext|>": 1})");
  folder.write("merges.txt", "");
  folder.write("tokenizer_config.json", kMarks);
  const auto tokenizer = Qwen2Tokenizer::load(folder.path());
  ASSERT_FALSE(tokenizer);
  EXPECT_THAT(tokenizer.error().message, HasSubstr("no token for byte 0"));
}

TEST(Qwen2Tokenizer, SaysWhichFilesAreMissing) {
  const TempFolder folder;
  const auto tokenizer = Qwen2Tokenizer::load(folder.path());
  ASSERT_FALSE(tokenizer);
  EXPECT_THAT(tokenizer.error().message, HasSubstr("neither tokenizer.json nor vocab.json"));
}

TEST(Qwen2Tokenizer, AMegabyteOfAnythingTakesNoLongerThanItsSize) {
  const TempFolder folder;
  const auto tokenizer = load_bytes(folder);
  ASSERT_TRUE(tokenizer);
  for (const std::string_view part : {"a", " ", "\n", "!", "'", "\r \n", "1"}) {
    std::string text;
    while (text.size() < (1u << 20)) text += part;
    EXPECT_EQ(tokenizer->encode(text).size(), text.size()) << part;
  }
}

}  // namespace
}  // namespace limner::tokenizers
