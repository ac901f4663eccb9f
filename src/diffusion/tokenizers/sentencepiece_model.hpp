// The parts of a SentencePiece model file (`spiece.model`) that a T5 tokenizer needs.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner::tokenizers {

struct SentencePiece {
  enum class Type : std::uint8_t { Normal = 1, Unknown, Control, UserDefined, Unused, Byte };

  std::string text;
  float score = 0;
  Type type = Type::Normal;
};

struct SentencePieceModel {
  std::vector<SentencePiece> pieces;
  std::string precompiled_charsmap;  // empty: none
};

// `bytes`: a serialised ModelProto. Fields that are not needed are skipped; a model of another type
// than unigram, and anything cut short, is an error.
Result<SentencePieceModel> parse_sentencepiece_model(std::string_view bytes);

}  // namespace limner::tokenizers
