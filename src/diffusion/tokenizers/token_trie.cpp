#include "diffusion/tokenizers/token_trie.hpp"

#include <algorithm>

namespace limner::tokenizers {
namespace {

// Sorted entries [first, last) that share their first `depth` bytes, to hang below `node`.
struct Range {
  std::size_t node;
  std::size_t first;
  std::size_t last;
  std::size_t depth;
};

}  // namespace

TokenTrie::TokenTrie(std::vector<Entry> entries) {
  std::stable_sort(entries.begin(), entries.end(),
                   [](const Entry& a, const Entry& b) { return a.token < b.token; });
  nodes_.emplace_back();
  // Breadth first, so that the edges of a node lie side by side.
  std::vector<Range> ranges = {{0, 0, entries.size(), 0}};
  for (std::size_t i = 0; i < ranges.size(); ++i) {
    auto [node, first, last, depth] = ranges[i];
    for (; first < last && entries[first].token.size() == depth; ++first) {
      if (depth > 0) nodes_[node].id = entries[first].id;
    }
    nodes_[node].first_edge = static_cast<std::uint32_t>(edges_.size());
    while (first < last) {
      const char byte = entries[first].token[depth];
      std::size_t end = first;
      while (end < last && entries[end].token[depth] == byte) ++end;
      edges_.push_back(
          {static_cast<std::uint8_t>(byte), static_cast<std::uint32_t>(nodes_.size())});
      ranges.push_back({nodes_.size(), first, end, depth + 1});
      nodes_.emplace_back();
      first = end;
    }
    nodes_[node].edge_count = static_cast<std::uint32_t>(edges_.size()) - nodes_[node].first_edge;
  }
}

std::size_t TokenTrie::child(std::size_t node, std::uint8_t byte) const {
  const auto begin = edges_.begin() + nodes_[node].first_edge;
  const auto end = begin + nodes_[node].edge_count;
  const auto it =
      std::lower_bound(begin, end, byte, [](const Edge& edge, auto b) { return edge.byte < b; });
  return it != end && it->byte == byte ? it->node : kNone;
}

}  // namespace limner::tokenizers
