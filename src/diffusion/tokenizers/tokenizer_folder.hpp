// The files of a tokenizer's folder that say which tokens are special, read as transformers reads
// them: tokenizer_config.json, special_tokens_map.json, added_tokens.json, tokenizer.json.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "diffusion/tokenizers/added_tokens.hpp"
#include "diffusion/tokenizers/vocabulary.hpp"

namespace limner::tokenizers {

// "bos_token" → "<|startoftext|>" and so on.
using NamedTokens = std::map<std::string, std::string, std::less<>>;

struct TokenizerFolder {
  std::filesystem::path path;
  json::object config;         // tokenizer_config.json, empty when there is none
  json::value tokenizer_json;  // null when there is none
  NamedTokens named;
  std::vector<AddedToken> added;     // in order of adding, ids not yet known
  std::size_t model_max_length = 0;  // 0: not said
};

// `defaults` are the named tokens of the tokenizer's class, which the files may override.
Result<TokenizerFolder> read_tokenizer_folder(const std::filesystem::path& path,
                                              NamedTokens defaults);

// tokenizer.json's `model`, which must be of `type` ("BPE", "Unigram").
Result<const json::object*> model_of(const TokenizerFolder& folder, std::string_view type);

// Gives each token its id in `vocabulary`, which grows by those it lacks.
void assign_ids(std::vector<AddedToken>& tokens, Vocabulary& vocabulary);

}  // namespace limner::tokenizers
