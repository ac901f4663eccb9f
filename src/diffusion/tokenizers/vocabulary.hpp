// Token text ↔ id, as the files of a tokenizer list them.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/json.hpp"
#include "base/result.hpp"
#include "diffusion/tokenizers/token_ids.hpp"

namespace limner::tokenizers {

class Vocabulary {
 public:
  // `{"token": id, …}` of vocab.json or of tokenizer.json's model. `where` names the file.
  static Result<Vocabulary> from_json(const json::value& tokens, std::string_view where);

  std::optional<TokenId> find(std::string_view token) const;
  // The id of `token`, which gets the next free one where it has none.
  TokenId find_or_add(std::string_view token);
  // One more than the highest id.
  std::size_t size() const { return size_; }
  void reserve(std::size_t count) { ids_.reserve(count); }
  // False where the token is there already; the first one stays.
  bool insert(std::string_view token, TokenId id);

 private:
  struct Hash {
    using is_transparent = void;
    std::size_t operator()(std::string_view text) const {
      return std::hash<std::string_view>{}(text);
    }
  };

  std::unordered_map<std::string, TokenId, Hash, std::equal_to<>> ids_;
  std::size_t size_ = 0;
};

}  // namespace limner::tokenizers
