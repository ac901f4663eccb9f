// Unigram segmentation of one word: the tokens whose scores add up highest.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "diffusion/tokenizers/token_ids.hpp"
#include "diffusion/tokenizers/token_trie.hpp"

namespace limner::tokenizers {

struct ScoredToken {
  std::string text;
  double score = 0;  // log probability
};

class UnigramEncoder {
 public:
  // A token's id is its index. `unknown_id` must be one of them, scores finite.
  static Result<UnigramEncoder> create(const std::vector<ScoredToken>& tokens, TokenId unknown_id);

  // Appends the ids of `word`, well-formed UTF-8. Characters without a token of their own cost the
  // lowest score less ten; those in a row become one unknown.
  void encode(std::string_view word, std::vector<TokenId>& ids) const;

 private:
  UnigramEncoder() = default;

  TokenTrie trie_;
  std::vector<double> scores_;
  double unknown_score_ = 0;
  TokenId unknown_id_ = 0;
};

}  // namespace limner::tokenizers
