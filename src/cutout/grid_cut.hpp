// The cheapest way to cut a picture's pixels into two sides: minimum cut on the grid of eight
// neighbours, by growing search trees from both sides (Boykov and Kolmogorov, PAMI 2004).
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/image.hpp"

namespace limner::cutout {

class GridCut {
 public:
  explicit GridCut(ImageSize size);

  // What it costs to put the pixel on either side; not negative.
  void set_costs(int x, int y, int subject_cost, int background_cost);
  // What it costs to part the pixel from its neighbour: 0 right, 1 below, 2 right below, 3 left
  // below. Neighbours outside the picture are ignored.
  static constexpr int kForwardNeighbours = 4;
  void set_neighbour_cost(int x, int y, int neighbour, int cost);

  // 1 where the pixel is on the subject's side, [H, W]. Costs are used up: call once.
  std::vector<std::uint8_t> solve();

 private:
  static constexpr int kDirections = 8;
  using Node = std::int32_t;

  Node node(int x, int y) const { return (y + 1) * stride_ + x + 1; }
  Node neighbour(Node from, int direction) const {
    return from + offsets_[static_cast<std::size_t>(direction)];
  }
  std::int32_t& capacity(Node from, int direction) {
    return capacities_[static_cast<std::size_t>(from) * kDirections +
                       static_cast<std::size_t>(direction)];
  }
  // What can still flow from the source's side of a tree edge to the other end, seen from `child`.
  std::int32_t& tree_capacity(Node child, int direction, bool is_sink_side);

  void activate(Node i);
  // Grows i's tree by its free neighbours; the direction in which the other tree was met, or -1.
  int grow(Node i);
  void augment(Node source_side, int direction);
  std::int32_t path_capacity(Node from) const;
  void push_along_path(Node from, std::int32_t flow);
  void adopt_orphans();
  void adopt(Node orphan);
  // Steps to the terminal through valid parents; kFar if the path ends at an orphan.
  int distance_to_terminal(Node from) const;
  void mark_path(Node from, int distance);

  ImageSize size_;
  int stride_;
  std::array<Node, kDirections> offsets_;
  std::vector<std::int32_t> capacities_;
  std::vector<std::int32_t> terminal_;  // left from the source if positive, to the sink if negative
  std::vector<std::int8_t> parent_;
  std::vector<std::uint8_t> is_sink_;
  std::vector<std::uint8_t> is_active_;
  std::vector<std::int32_t> distance_;
  std::vector<std::int32_t> checked_at_;
  std::int32_t time_ = 0;
  std::deque<Node> active_;
  std::deque<Node> orphans_;
};

}  // namespace limner::cutout
