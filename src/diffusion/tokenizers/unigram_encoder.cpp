#include "diffusion/tokenizers/unigram_encoder.hpp"

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <limits>

#include <fmt/format.h>

namespace limner::tokenizers {
namespace {

constexpr double kUnknownPenalty = 10.0;
// Bounds the work of one character; SentencePiece's own default is 16 characters.
constexpr std::size_t kTokenBytesMax = 1'024;

// The best way found so far to reach a position.
struct Arrival {
  double score = 0;
  std::size_t start = std::numeric_limits<std::size_t>::max();  // not reached yet
  TokenId id = 0;

  bool is_reached() const { return start != std::numeric_limits<std::size_t>::max(); }
};

std::size_t character_size(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0x80 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : 4;
}

}  // namespace

Result<UnigramEncoder> UnigramEncoder::create(const std::vector<ScoredToken>& tokens,
                                              TokenId unknown_id) {
  if (unknown_id < 0 || static_cast<std::size_t>(unknown_id) >= tokens.size()) {
    return invalid_value("", fmt::format("vocabulary: {} tokens, none with the unknown id {}",
                                         tokens.size(), unknown_id));
  }
  UnigramEncoder encoder;
  std::vector<TokenTrie::Entry> entries;
  entries.reserve(tokens.size());
  double lowest = std::numeric_limits<double>::infinity();
  for (const auto& token : tokens) {
    if (!std::isfinite(token.score) || token.text.size() > kTokenBytesMax) {
      return invalid_value("", fmt::format("vocabulary: token {} has no finite score or more than "
                                           "{} bytes",
                                           entries.size(), kTokenBytesMax));
    }
    lowest = std::min(lowest, token.score);
    entries.push_back({token.text, static_cast<TokenId>(entries.size())});
    encoder.scores_.push_back(token.score);
  }
  encoder.trie_ = TokenTrie(std::move(entries));
  encoder.unknown_score_ = lowest - kUnknownPenalty;
  encoder.unknown_id_ = unknown_id;
  return encoder;
}

// Viterbi from left to right; of two equal sums the one found first stays, as in the reference.
void UnigramEncoder::encode(std::string_view word, std::vector<TokenId>& ids) const {
  std::vector<Arrival> arrivals(word.size() + 1);
  const auto offer = [&](std::size_t start, std::size_t end, double score, TokenId id) {
    const double sum = score + arrivals[start].score;
    if (!arrivals[end].is_reached() || sum > arrivals[end].score) arrivals[end] = {sum, start, id};
  };
  for (std::size_t start = 0; start < word.size();) {
    const std::size_t next = std::min(start + character_size(word[start]), word.size());
    bool has_own_token = false;
    trie_.for_each_prefix(word.substr(start), [&](std::size_t size, TokenId id) {
      offer(start, start + size, scores_[static_cast<std::size_t>(id)], id);
      has_own_token |= start + size == next;
    });
    if (!has_own_token) offer(start, next, unknown_score_, unknown_id_);
    start = next;
  }
  const std::size_t first = ids.size();
  for (std::size_t end = word.size(); end > 0; end = arrivals[end].start) {
    const TokenId id = arrivals[end].id;
    const bool joins_unknown = id == unknown_id_ && ids.size() > first && ids.back() == id;
    if (!joins_unknown) ids.push_back(id);
  }
  std::reverse(ids.begin() + static_cast<std::ptrdiff_t>(first), ids.end());
}

}  // namespace limner::tokenizers
