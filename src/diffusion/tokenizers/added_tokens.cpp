#include "diffusion/tokenizers/added_tokens.hpp"

#include <algorithm>
#include <utility>

#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {
namespace {

bool stands_alone(std::u32string_view text, std::size_t start, std::size_t end) {
  return (start == 0 || !is_word(text[start - 1])) && (end == text.size() || !is_word(text[end]));
}

}  // namespace

AddedTokens::AddedTokens(const std::vector<AddedToken>& tokens) {
  for (const auto& token : tokens) {
    if (!token.content.empty()) entries_.push_back({decode_utf8(token.content), token});
  }
  std::stable_sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) {
    if (a.content[0] != b.content[0]) return a.content[0] < b.content[0];
    return a.content.size() > b.content.size();
  });
}

std::vector<TextPiece> AddedTokens::split(std::u32string_view text) const {
  std::vector<TextPiece> pieces;
  std::size_t done = 0;
  for (std::size_t i = 0; i < text.size();) {
    const Entry* entry = find_at(text, i);
    if (!entry) {
      ++i;
      continue;
    }
    std::size_t start = i;
    std::size_t end = i + entry->content.size();
    i = end;
    if (entry->token.is_single_word && !stands_alone(text, start, end)) continue;
    if (entry->token.strips_left) {
      while (start > done && is_white_space(text[start - 1])) --start;
    }
    if (entry->token.strips_right) {
      while (end < text.size() && is_white_space(text[end])) ++end;
    }
    if (start > done) pieces.push_back({text.substr(done, start - done), std::nullopt});
    pieces.push_back({text.substr(start, end - start), entry->token.id});
    done = end;
    i = end;
  }
  if (done < text.size()) pieces.push_back({text.substr(done), std::nullopt});
  return pieces;
}

const AddedTokens::Entry* AddedTokens::find_at(std::u32string_view text,
                                               std::size_t position) const {
  auto it = std::partition_point(entries_.begin(), entries_.end(), [&](const Entry& entry) {
    return entry.content[0] < text[position];
  });
  for (; it != entries_.end() && it->content[0] == text[position]; ++it) {
    if (text.substr(position, it->content.size()) == it->content) return &*it;
  }
  return nullptr;
}

AddedTokenLayers::AddedTokenLayers(const std::vector<AddedToken>& tokens, Normalize normalize)
    : normalize_(normalize) {
  std::vector<AddedToken> raw;
  std::vector<AddedToken> normalized;
  for (AddedToken token : tokens) {
    if (!token.is_normalized) {
      raw.push_back(std::move(token));
      continue;
    }
    token.content = encode_utf8(normalize(decode_utf8(token.content)));
    normalized.push_back(std::move(token));
  }
  raw_ = AddedTokens(raw);
  normalized_ = AddedTokens(normalized);
}

}  // namespace limner::tokenizers
