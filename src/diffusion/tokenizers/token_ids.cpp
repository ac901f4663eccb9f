#include "diffusion/tokenizers/token_ids.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace limner::tokenizers {

Error prompt_too_long(std::size_t count, std::size_t room) {
  return invalid_value("prompt",
                       fmt::format("prompt: {} tokens, this model reads at most {} ({} too many)",
                                   count, room, count - std::min(count, room)),
                       "prompt_too_long");
}

Result<PaddedIds> pad_ids(const std::vector<TokenId>& ids, const Frame& frame,
                          std::size_t max_length) {
  const std::size_t room = max_length - std::min(max_length, frame.marks());
  if (ids.size() > room) return prompt_too_long(ids.size(), room);
  return pad_ids_truncated(ids, frame, max_length);
}

PaddedIds pad_ids_truncated(const std::vector<TokenId>& ids, const Frame& frame,
                            std::size_t max_length) {
  const std::size_t room = max_length - std::min(max_length, frame.marks());
  PaddedIds row;
  row.ids.reserve(max_length);
  row.ids = frame.before;
  row.ids.insert(row.ids.end(), ids.begin(),
                 ids.begin() + std::ptrdiff_t(std::min(room, ids.size())));
  row.ids.insert(row.ids.end(), frame.after.begin(), frame.after.end());
  row.ids.resize(std::min(row.ids.size(), max_length));
  row.attention_mask.assign(row.ids.size(), 1);
  row.ids.resize(max_length, frame.pad);
  row.attention_mask.resize(max_length, 0);
  return row;
}

}  // namespace limner::tokenizers
