// Qwen's tokenizer: the ids of transformers' Qwen2Tokenizer (5.5.4), which Qwen 2, 2.5 and 3 use.
//
// As in the reference, whatever the folder says otherwise: NFC, then Qwen's pattern and byte-level
// byte pairs. No marks around a text and no padding.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "diffusion/tokenizers/added_tokens.hpp"
#include "diffusion/tokenizers/byte_pair_encoder.hpp"
#include "diffusion/tokenizers/token_ids.hpp"

namespace limner::tokenizers {

// Immutable once loaded; safe to use from many threads.
class Qwen2Tokenizer {
 public:
  // A `tokenizer/` folder with tokenizer.json, or vocab.json and merges.txt; tokenizer.json is read
  // where it has both, as the reference does.
  static Result<Qwen2Tokenizer> load(const std::filesystem::path& folder);

  // Malformed UTF-8 is read as U+FFFD. `<|im_start|>` and other added tokens are found in the text.
  std::vector<TokenId> encode(std::string_view text) const;

  // What pipelines of diffusers make of a prompt with the tokenizer's chat template: a user's
  // message, then the beginning of an answer that may think first. The template itself, a program
  // in Jinja, is not read.
  std::vector<TokenId> encode_as_message(std::string_view text) const;

  // One more than the highest id.
  std::size_t vocab_size() const { return vocab_size_; }

 private:
  explicit Qwen2Tokenizer(BytePairEncoder encoder) : encoder_(std::move(encoder)) {}
  void encode_piece(std::u32string_view text, std::vector<TokenId>& ids) const;

  BytePairEncoder encoder_;
  AddedTokenLayers added_tokens_;
  std::size_t vocab_size_ = 0;
};

}  // namespace limner::tokenizers
