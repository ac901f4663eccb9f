// The tokens of a byte-pair encoding and the pairs that become them: from a tokenizer's folder, or
// CLIP's, built in.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "diffusion/tokenizers/byte_pair_encoder.hpp"
#include "diffusion/tokenizers/tokenizer_folder.hpp"
#include "diffusion/tokenizers/vocabulary.hpp"

namespace limner::tokenizers {

struct BpeVocabulary {
  Vocabulary tokens;
  // What merges of merges.txt point into; at one address however this is moved.
  std::unique_ptr<const std::string> text;
  std::vector<BytePairEncoder::Merge> merges;
};

// tokenizer.json, or vocab.json and merges.txt. The merges may point into `folder`.
Result<BpeVocabulary> read_bpe_vocabulary(const TokenizerFolder& folder);

// The 49,408 tokens of every CLIP text encoder in use, from OpenAI's and OpenCLIP's vocabulary
// (docs/decisions/0021-clip-vocabulary.md).
BpeVocabulary built_in_clip_vocabulary();

}  // namespace limner::tokenizers
