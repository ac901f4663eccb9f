// CLIP's tokenizer: the ids of transformers' CLIPTokenizer (5.5.4).
//
// The reference rebuilds normalisation and splitting in code whatever the folder says, and so do
// we: NFC, white space to single spaces, lower case, then CLIP's pattern and byte-level byte pairs.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.hpp"
#include "diffusion/tokenizers/added_tokens.hpp"
#include "diffusion/tokenizers/bpe_vocabulary.hpp"
#include "diffusion/tokenizers/byte_pair_encoder.hpp"
#include "diffusion/tokenizers/token_ids.hpp"
#include "diffusion/tokenizers/tokenizer_folder.hpp"

namespace limner::tokenizers {

// Immutable once loaded; safe to use from many threads.
class ClipTokenizer {
 public:
  // A diffusers `tokenizer/` folder with tokenizer.json, or vocab.json and merges.txt;
  // tokenizer.json is read where it has both, as the reference does. Padding and marks come from
  // tokenizer_config.json and special_tokens_map.json.
  static Result<ClipTokenizer> load(const std::filesystem::path& folder);

  // Without files, for checkpoints that bring none. Padding is <|endoftext|> after OpenAI's
  // encoders, "!" after OpenCLIP's (Stable Diffusion 2, the second of SDXL and SD3).
  static ClipTokenizer built_in(std::string_view pad_token);

  // The ids of the text alone. Malformed UTF-8 is read as U+FFFD.
  std::vector<TokenId> encode(std::string_view text) const;

  // <|startoftext|> ids <|endoftext|> padding; an error where the text is too long.
  Result<PaddedIds> encode_padded(std::string_view text, std::size_t max_length) const;
  PaddedIds encode_truncated(std::string_view text, std::size_t max_length) const;

  const Frame& frame() const { return frame_; }
  // As the folder says, with the marks (77); 0 where it does not say.
  std::size_t model_max_length() const { return model_max_length_; }
  // One more than the highest id.
  std::size_t vocab_size() const { return vocab_size_; }

 private:
  static Result<ClipTokenizer> build(TokenizerFolder folder, BpeVocabulary vocabulary);
  explicit ClipTokenizer(BytePairEncoder encoder) : encoder_(std::move(encoder)) {}
  void encode_piece(std::u32string_view text, std::vector<TokenId>& ids) const;

  BytePairEncoder encoder_;
  AddedTokenLayers added_tokens_;
  Frame frame_;
  std::size_t model_max_length_ = 0;
  std::size_t vocab_size_ = 0;
};

}  // namespace limner::tokenizers
