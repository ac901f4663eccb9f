#include "diffusion/tokenizers/precompiled_charsmap.hpp"

#include <random>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "diffusion/tokenizers/sentencepiece_model.hpp"

namespace limner::tokenizers {
namespace {

std::string golden_model() {
  auto bytes = read_file(
      std::filesystem::path(LIMNER_SOURCE_DIR) / "tests/golden/tokenizers/t5_spiece/spiece.model",
      1 << 20);
  EXPECT_TRUE(bytes);
  return std::move(*bytes);
}

TEST(PrecompiledCharsmap, ReplacesAsSentencePieceDoes) {
  auto model = parse_sentencepiece_model(golden_model());
  ASSERT_TRUE(model);
  auto map = PrecompiledCharsmap::parse(model->precompiled_charsmap);
  ASSERT_TRUE(map);
  EXPECT_EQ(map->normalize("ﬁ ½ Ａ e\u0301\tx\u200B"), "fi 1\u20442 A \u00E9 x ");
  EXPECT_EQ(map->normalize("\x01"), "");
  // A grapheme that begins with an entry gives way to it as a whole: the mark is lost.
  EXPECT_EQ(map->normalize("ª\u0301"), "a");
}

TEST(PrecompiledCharsmap, AnEmptyMapReplacesNothing) {
  auto map = PrecompiledCharsmap::parse("");
  ASSERT_TRUE(map);
  EXPECT_EQ(map->normalize("ﬁ"), "ﬁ");
}

TEST(PrecompiledCharsmap, DamagedTablesAreRefusedOrReadWithinBounds) {
  auto model = parse_sentencepiece_model(golden_model());
  ASSERT_TRUE(model);
  std::mt19937 random(1);
  for (int round = 0; round < 200; ++round) {
    std::string blob = model->precompiled_charsmap;
    for (int i = 0; i < 2000; ++i) blob[random() % blob.size()] = static_cast<char>(random());
    if (round % 2) blob.resize(random() % blob.size());
    const auto map = PrecompiledCharsmap::parse(blob);
    if (map) map->normalize("ﬁ ½ Ａ e\u0301 中文 👩‍💻 ａｂｃ");
  }
}

TEST(SentencePieceModel, DamagedFilesAreRefusedOrRead) {
  const std::string bytes = golden_model();
  std::mt19937 random(2);
  for (int round = 0; round < 200; ++round) {
    std::string damaged = bytes;
    for (int i = 0; i < 20; ++i) damaged[random() % 20'000] = static_cast<char>(random());
    if (round % 2) damaged.resize(random() % damaged.size());
    const auto model = parse_sentencepiece_model(damaged);
    EXPECT_EQ(!model, !model && !model.error().message.empty());
  }
}

}  // namespace
}  // namespace limner::tokenizers
