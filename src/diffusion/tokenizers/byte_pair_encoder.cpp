#include "diffusion/tokenizers/byte_pair_encoder.hpp"

#include <functional>
#include <queue>
#include <string>
#include <tuple>

#include <fmt/format.h>

#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {
namespace {

// GPT-2's printable stand-in for each byte: itself where it is printable and no space, else the
// next free code point from U+0100 on.
std::array<char32_t, 256> byte_characters() {
  std::array<char32_t, 256> characters{};
  char32_t next_free = 0x100;
  for (char32_t byte = 0; byte < 256; ++byte) {
    const bool is_printable = (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte != 0xAD);
    characters[byte] = is_printable ? byte : next_free++;
  }
  return characters;
}

std::uint64_t pair_key(std::uint32_t left, std::uint32_t right) {
  return (std::uint64_t{left} << 32) | right;
}

}  // namespace

Result<BytePairEncoder> BytePairEncoder::create(const Vocabulary& vocabulary,
                                                const std::vector<Merge>& merges,
                                                const Options& options) {
  BytePairEncoder encoder;
  const auto unknown_id = vocabulary.find(options.unknown);
  const auto characters = byte_characters();
  for (std::size_t byte = 0; byte < 256; ++byte) {
    std::string token;
    append_utf8(characters[byte], token);
    const auto id = vocabulary.find(token);
    token += options.end_of_word;
    const auto last_id = vocabulary.find(token);
    if (!unknown_id && (!id || !last_id)) {
      return invalid_value("",
                           fmt::format("vocabulary: no token for byte {} and none for an unknown "
                                       "one",
                                       byte));
    }
    encoder.byte_ids_[byte] = static_cast<std::uint32_t>(id ? *id : *unknown_id);
    encoder.last_byte_ids_[byte] = static_cast<std::uint32_t>(last_id ? *last_id : *unknown_id);
  }
  encoder.merges_.reserve(merges.size());
  std::string whole;
  for (std::size_t rank = 0; rank < merges.size(); ++rank) {
    whole.assign(merges[rank].first).append(merges[rank].second);
    const auto left = vocabulary.find(merges[rank].first);
    const auto right = vocabulary.find(merges[rank].second);
    const auto both = vocabulary.find(whole);
    if (!left || !right || !both) {
      return invalid_value(
          "", fmt::format("merges: number {} is of tokens that the vocabulary lacks", rank));
    }
    // A pair that comes twice keeps its later rank, as in the reference.
    encoder.merges_[pair_key(static_cast<std::uint32_t>(*left),
                             static_cast<std::uint32_t>(*right))] = {
        static_cast<std::uint32_t>(rank), static_cast<std::uint32_t>(*both)};
  }
  return encoder;
}

void BytePairEncoder::encode(std::string_view word, std::vector<TokenId>& ids) const {
  std::vector<Symbol> symbols(word.size());
  for (std::size_t i = 0; i < word.size(); ++i) {
    const bool is_last = i + 1 == word.size();
    const auto byte = static_cast<std::uint8_t>(word[i]);
    symbols[i] = {.id = is_last ? last_byte_ids_[byte] : byte_ids_[byte],
                  .previous = static_cast<std::int32_t>(i) - 1,
                  .next = is_last ? -1 : static_cast<std::int32_t>(i) + 1};
  }
  merge_all(symbols);
  for (const auto& symbol : symbols) {
    if (!symbol.is_gone) ids.push_back(symbol.id);
  }
}

const BytePairEncoder::Merged* BytePairEncoder::find_merge(std::uint32_t left,
                                                           std::uint32_t right) const {
  const auto it = merges_.find(pair_key(left, right));
  return it == merges_.end() ? nullptr : &it->second;
}

// Lowest rank first, leftmost among equals. A heap entry whose pair has since changed is skipped.
void BytePairEncoder::merge_all(std::vector<Symbol>& symbols) const {
  using Candidate = std::tuple<std::uint32_t, std::int32_t, std::uint32_t>;  // rank, position, id
  std::priority_queue<Candidate, std::vector<Candidate>, std::greater<>> candidates;
  const auto at = [&](std::int32_t i) -> Symbol& { return symbols[static_cast<std::size_t>(i)]; };
  const auto offer = [&](std::int32_t position) {
    if (position < 0 || at(position).next < 0) return;
    const auto* merged = find_merge(at(position).id, at(at(position).next).id);
    if (merged) candidates.emplace(merged->rank, position, merged->id);
  };
  for (std::size_t i = 0; i < symbols.size(); ++i) offer(static_cast<std::int32_t>(i));
  while (!candidates.empty()) {
    const auto [rank, position, id] = candidates.top();
    candidates.pop();
    Symbol& left = at(position);
    if (left.is_gone || left.next < 0) continue;
    Symbol& right = at(left.next);
    const auto* merged = find_merge(left.id, right.id);
    if (!merged || merged->id != id) continue;
    left.id = id;
    left.next = right.next;
    right.is_gone = true;
    if (left.next >= 0) at(left.next).previous = position;
    offer(left.previous);
    offer(position);
  }
}

}  // namespace limner::tokenizers
