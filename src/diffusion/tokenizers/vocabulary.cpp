#include "diffusion/tokenizers/vocabulary.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace limner::tokenizers {
namespace {

// The largest vocabularies in use have 262,144 tokens.
constexpr std::size_t kTokensMax = 1u << 20;

}  // namespace

Result<Vocabulary> Vocabulary::from_json(const json::value& tokens, std::string_view where) {
  const auto* object = tokens.if_object();
  if (!object || object->empty() || object->size() > kTokensMax) {
    return invalid_value("", fmt::format("{}: the vocabulary must be an object of 1 to {} tokens",
                                         where, kTokensMax));
  }
  Vocabulary vocabulary;
  vocabulary.reserve(object->size());
  for (const auto& member : *object) {
    const auto* id = member.value().if_int64();
    if (!id || *id < 0 || *id >= static_cast<std::int64_t>(kTokensMax)) {
      return invalid_value("", fmt::format("{}: a token's id must be an integer from 0 to {}",
                                           where, kTokensMax - 1));
    }
    vocabulary.insert(member.key(), *id);
  }
  return vocabulary;
}

std::optional<TokenId> Vocabulary::find(std::string_view token) const {
  const auto it = ids_.find(token);
  return it == ids_.end() ? std::nullopt : std::optional(it->second);
}

TokenId Vocabulary::find_or_add(std::string_view token) {
  if (const auto id = find(token)) return *id;
  const auto id = static_cast<TokenId>(size_);
  insert(token, id);
  return id;
}

bool Vocabulary::insert(std::string_view token, TokenId id) {
  size_ = std::max(size_, static_cast<std::size_t>(id) + 1);
  return ids_.emplace(token, id).second;
}

}  // namespace limner::tokenizers
