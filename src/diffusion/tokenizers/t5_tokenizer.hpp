// T5's tokenizer: the ids of transformers' T5Tokenizer (5.5.4).
//
// As in the reference, whatever the folder says otherwise: SentencePiece's character map, words cut
// at white space, each begun by ▁, then unigram segmentation without byte fallback.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "diffusion/tokenizers/added_tokens.hpp"
#include "diffusion/tokenizers/precompiled_charsmap.hpp"
#include "diffusion/tokenizers/token_ids.hpp"
#include "diffusion/tokenizers/unigram_encoder.hpp"

namespace limner::tokenizers {

// Immutable once loaded; safe to use from many threads.
class T5Tokenizer {
 public:
  // A diffusers `tokenizer_2/` or `tokenizer_3/` folder with tokenizer.json or spiece.model;
  // tokenizer.json is read where it has both, as the reference does.
  static Result<T5Tokenizer> load(const std::filesystem::path& folder);

  // The ids of the text alone. Malformed UTF-8 is read as U+FFFD.
  std::vector<TokenId> encode(std::string_view text) const;

  // ids </s> padding; an error where the text is too long.
  Result<PaddedIds> encode_padded(std::string_view text, std::size_t max_length) const;
  PaddedIds encode_truncated(std::string_view text, std::size_t max_length) const;

  const Frame& frame() const { return frame_; }
  // As the folder says, with the mark (512); 0 where it does not say.
  std::size_t model_max_length() const { return model_max_length_; }
  // One more than the highest id.
  std::size_t vocab_size() const { return vocab_size_; }

 private:
  T5Tokenizer(UnigramEncoder encoder, PrecompiledCharsmap charsmap)
      : encoder_(std::move(encoder)), charsmap_(std::move(charsmap)) {}
  void encode_piece(std::u32string_view text, std::vector<TokenId>& ids) const;

  UnigramEncoder encoder_;
  PrecompiledCharsmap charsmap_;
  AddedTokens raw_tokens_;
  AddedTokens normalized_tokens_;
  Frame frame_;
  std::size_t model_max_length_ = 0;
  std::size_t vocab_size_ = 0;
};

}  // namespace limner::tokenizers
