// Tokens that are found in the text before anything else is done to it, such as `<|endoftext|>`.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "diffusion/tokenizers/token_ids.hpp"

namespace limner::tokenizers {

struct AddedToken {
  std::string content;
  TokenId id = 0;
  bool is_single_word = false;  // only between characters that are no part of a word
  bool strips_left = false;     // takes the white space before it along
  bool strips_right = false;
  bool is_normalized = false;  // looked for in the normalised text, after being normalised itself
};

// A stretch of the text: a token found in it, or text to go on with.
struct TextPiece {
  std::u32string_view text;
  std::optional<TokenId> id;
};

class AddedTokens {
 public:
  AddedTokens() = default;
  // `tokens` all of one kind; where two begin at the same place, the longer one is found.
  explicit AddedTokens(const std::vector<AddedToken>& tokens);

  // `text` cut up from left to right; empty stretches are left out.
  std::vector<TextPiece> split(std::u32string_view text) const;

 private:
  struct Entry {
    std::u32string content;
    AddedToken token;
  };
  const Entry* find_at(std::u32string_view text, std::size_t position) const;

  std::vector<Entry> entries_;  // by first character, then the longest first
};

// Both kinds as a byte-pair tokenizer looks for them: some in the text as it came, the others in
// what normalisation makes of the rest.
class AddedTokenLayers {
 public:
  using Normalize = std::u32string (*)(std::u32string_view);

  AddedTokenLayers() = default;
  AddedTokenLayers(const std::vector<AddedToken>& tokens, Normalize normalize);

  // Appends the ids of tokens found; `encode_piece(text, ids)` appends those of each normalised
  // stretch between them.
  template <typename EncodePiece>
  void encode(std::u32string_view text, std::vector<TokenId>& ids, EncodePiece encode_piece) const {
    for (const auto& piece : raw_.split(text)) {
      if (piece.id) {
        ids.push_back(*piece.id);
        continue;
      }
      const std::u32string normal = normalize_(piece.text);
      for (const auto& inner : normalized_.split(normal)) {
        if (inner.id) {
          ids.push_back(*inner.id);
        } else {
          encode_piece(inner.text, ids);
        }
      }
    }
  }

 private:
  AddedTokens raw_, normalized_;
  Normalize normalize_ = nullptr;
};

}  // namespace limner::tokenizers
