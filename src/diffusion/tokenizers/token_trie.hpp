// All tokens that a text begins with, in one walk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <vector>

#include "diffusion/tokenizers/token_ids.hpp"

namespace limner::tokenizers {

class TokenTrie {
 public:
  struct Entry {
    std::string_view token;
    TokenId id;
  };

  TokenTrie() = default;
  // Of two entries with the same token the later one counts. Empty tokens are left out.
  explicit TokenTrie(std::vector<Entry> entries);

  // Calls visit(size in bytes, id) for each token at the front of `text`, the shortest first.
  template <typename Visit>
  void for_each_prefix(std::string_view text, Visit visit) const {
    std::size_t node = 0;
    for (std::size_t size = 0; size < text.size() && !nodes_.empty();) {
      node = child(node, static_cast<std::uint8_t>(text[size++]));
      if (node == kNone) return;
      if (nodes_[node].id >= 0) visit(size, nodes_[node].id);
    }
  }

 private:
  struct Node {
    std::uint32_t first_edge = 0;
    std::uint32_t edge_count = 0;
    TokenId id = -1;
  };
  struct Edge {
    std::uint8_t byte;
    std::uint32_t node;
  };
  static constexpr std::size_t kNone = SIZE_MAX;

  std::size_t child(std::size_t node, std::uint8_t byte) const;

  std::vector<Node> nodes_;
  std::vector<Edge> edges_;  // of one node side by side, by rising byte
};

}  // namespace limner::tokenizers
