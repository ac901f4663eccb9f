#include "cutout/grid_cut.hpp"

#include <algorithm>
#include <limits>

namespace limner::cutout {
namespace {

// What parent_ holds besides a direction.
constexpr std::int8_t kTerminal = 8;
constexpr std::int8_t kOrphan = 9;
constexpr std::int8_t kFree = 10;

constexpr int kFar = std::numeric_limits<int>::max();

// Directions 0 to 3 are the forward neighbours, 4 to 7 their opposites.
constexpr int opposite(int direction) {
  return direction ^ 4;
}

}  // namespace

// A frame of unused nodes around the picture saves every check of bounds.
GridCut::GridCut(ImageSize size) : size_(size), stride_(size.width_px + 2) {
  offsets_ = {1, stride_, stride_ + 1, stride_ - 1, -1, -stride_, -stride_ - 1, -stride_ + 1};
  const auto count =
      static_cast<std::size_t>(stride_) * static_cast<std::size_t>(size.height_px + 2);
  capacities_.assign(count * kDirections, 0);
  terminal_.assign(count, 0);
  parent_.assign(count, kFree);
  is_sink_.assign(count, 0);
  is_active_.assign(count, 0);
  distance_.assign(count, 0);
  checked_at_.assign(count, 0);
}

void GridCut::set_costs(int x, int y, int subject_cost, int background_cost) {
  // Cutting from the source makes a pixel background, so that link costs background_cost; only the
  // difference matters.
  terminal_[static_cast<std::size_t>(node(x, y))] = background_cost - subject_cost;
}

void GridCut::set_neighbour_cost(int x, int y, int neighbour_index, int cost) {
  const int other_x = x + (neighbour_index == 0 || neighbour_index == 2) - (neighbour_index == 3);
  const int other_y = y + (neighbour_index != 0);
  if (other_x < 0 || other_x >= size_.width_px || other_y >= size_.height_px) return;
  const Node from = node(x, y);
  capacity(from, neighbour_index) = cost;
  capacity(neighbour(from, neighbour_index), opposite(neighbour_index)) = cost;
}

std::vector<std::uint8_t> GridCut::solve() {
  for (int y = 0; y < size_.height_px; ++y) {
    for (int x = 0; x < size_.width_px; ++x) {
      const auto i = static_cast<std::size_t>(node(x, y));
      if (terminal_[i] == 0) continue;
      is_sink_[i] = terminal_[i] < 0;
      parent_[i] = kTerminal;
      distance_[i] = 1;
      activate(static_cast<Node>(i));
    }
  }
  while (!active_.empty()) {
    const Node i = active_.front();
    const auto index = static_cast<std::size_t>(i);
    const int met = parent_[index] == kFree ? -1 : grow(i);
    if (met < 0) {
      active_.pop_front();
      is_active_[index] = 0;
      continue;
    }
    // i stays in front: it may meet the other tree again.
    ++time_;
    augment(i, met);
    adopt_orphans();
  }
  std::vector<std::uint8_t> is_subject;
  is_subject.reserve(static_cast<std::size_t>(size_.width_px) *
                     static_cast<std::size_t>(size_.height_px));
  for (int y = 0; y < size_.height_px; ++y) {
    for (int x = 0; x < size_.width_px; ++x) {
      const auto i = static_cast<std::size_t>(node(x, y));
      is_subject.push_back(parent_[i] != kFree && !is_sink_[i]);
    }
  }
  return is_subject;
}

std::int32_t& GridCut::tree_capacity(Node child, int direction, bool is_sink_side) {
  // Flow runs from parent to child in the source's tree, from child to parent in the sink's.
  return is_sink_side ? capacity(child, direction)
                      : capacity(neighbour(child, direction), opposite(direction));
}

void GridCut::activate(Node i) {
  const auto index = static_cast<std::size_t>(i);
  if (is_active_[index]) return;
  is_active_[index] = 1;
  active_.push_back(i);
}

int GridCut::grow(Node i) {
  const auto index = static_cast<std::size_t>(i);
  const bool is_sink = is_sink_[index] != 0;
  for (int d = 0; d < kDirections; ++d) {
    const Node j = neighbour(i, d);
    if (tree_capacity(j, opposite(d), is_sink) <= 0) continue;
    const auto other = static_cast<std::size_t>(j);
    if (parent_[other] == kFree) {
      is_sink_[other] = is_sink;
      parent_[other] = static_cast<std::int8_t>(opposite(d));
      checked_at_[other] = checked_at_[index];
      distance_[other] = distance_[index] + 1;
      activate(j);
    } else if ((is_sink_[other] != 0) != is_sink) {
      return d;
    } else if (checked_at_[other] <= checked_at_[index] && distance_[other] > distance_[index]) {
      // A shorter way to the terminal: shorter paths are cheaper to augment.
      parent_[other] = static_cast<std::int8_t>(opposite(d));
      checked_at_[other] = checked_at_[index];
      distance_[other] = distance_[index] + 1;
    }
  }
  return -1;
}

void GridCut::augment(Node i, int direction) {
  Node source_end = i;
  Node sink_end = neighbour(i, direction);
  if (is_sink_[static_cast<std::size_t>(i)]) {
    std::swap(source_end, sink_end);
    direction = opposite(direction);
  }
  const std::int32_t flow = std::min(
      {capacity(source_end, direction), path_capacity(source_end), path_capacity(sink_end)});
  capacity(source_end, direction) -= flow;
  capacity(sink_end, opposite(direction)) += flow;
  push_along_path(source_end, flow);
  push_along_path(sink_end, flow);
}

std::int32_t GridCut::path_capacity(Node from) const {
  auto& self = const_cast<GridCut&>(*this);
  const bool is_sink = is_sink_[static_cast<std::size_t>(from)] != 0;
  std::int32_t smallest = std::numeric_limits<std::int32_t>::max();
  Node i = from;
  while (parent_[static_cast<std::size_t>(i)] != kTerminal) {
    const int d = parent_[static_cast<std::size_t>(i)];
    smallest = std::min(smallest, self.tree_capacity(i, d, is_sink));
    i = neighbour(i, d);
  }
  return std::min(smallest, std::abs(terminal_[static_cast<std::size_t>(i)]));
}

void GridCut::push_along_path(Node from, std::int32_t flow) {
  const bool is_sink = is_sink_[static_cast<std::size_t>(from)] != 0;
  Node i = from;
  while (parent_[static_cast<std::size_t>(i)] != kTerminal) {
    const int d = parent_[static_cast<std::size_t>(i)];
    const Node next = neighbour(i, d);
    auto& forward = tree_capacity(i, d, is_sink);
    forward -= flow;
    // The same link the other way round.
    tree_capacity(next, opposite(d), is_sink) += flow;
    if (forward == 0) {
      parent_[static_cast<std::size_t>(i)] = kOrphan;
      orphans_.push_front(i);
    }
    i = next;
  }
  auto& left = terminal_[static_cast<std::size_t>(i)];
  left += is_sink ? flow : -flow;
  if (left == 0) {
    parent_[static_cast<std::size_t>(i)] = kOrphan;
    orphans_.push_front(i);
  }
}

void GridCut::adopt_orphans() {
  while (!orphans_.empty()) {
    const Node orphan = orphans_.front();
    orphans_.pop_front();
    adopt(orphan);
  }
}

void GridCut::adopt(Node orphan) {
  const auto index = static_cast<std::size_t>(orphan);
  const bool is_sink = is_sink_[index] != 0;
  const auto is_relative = [&](Node j) {
    return parent_[static_cast<std::size_t>(j)] != kFree &&
           (is_sink_[static_cast<std::size_t>(j)] != 0) == is_sink;
  };
  int best_direction = -1;
  int best_distance = kFar;
  for (int d = 0; d < kDirections; ++d) {
    const Node j = neighbour(orphan, d);
    if (tree_capacity(orphan, d, is_sink) <= 0 || !is_relative(j)) continue;
    const int distance = distance_to_terminal(j);
    if (distance == kFar) continue;
    mark_path(j, distance);
    if (distance < best_distance) {
      best_distance = distance;
      best_direction = d;
    }
  }
  if (best_direction >= 0) {
    parent_[index] = static_cast<std::int8_t>(best_direction);
    checked_at_[index] = time_;
    distance_[index] = best_distance + 1;
    return;
  }
  parent_[index] = kFree;
  for (int d = 0; d < kDirections; ++d) {
    const Node j = neighbour(orphan, d);
    if (!is_relative(j)) continue;
    if (tree_capacity(orphan, d, is_sink) > 0) activate(j);
    auto& parent = parent_[static_cast<std::size_t>(j)];
    if (parent < kDirections && neighbour(j, parent) == orphan) {
      parent = kOrphan;
      orphans_.push_back(j);
    }
  }
}

int GridCut::distance_to_terminal(Node from) const {
  int steps = 0;
  for (Node i = from;;) {
    const auto index = static_cast<std::size_t>(i);
    if (checked_at_[index] == time_ && parent_[index] != kOrphan) return steps + distance_[index];
    ++steps;
    const int parent = parent_[index];
    if (parent == kTerminal) return steps;
    if (parent == kOrphan || parent == kFree) return kFar;
    i = neighbour(i, parent);
  }
}

void GridCut::mark_path(Node from, int distance) {
  for (Node i = from; checked_at_[static_cast<std::size_t>(i)] != time_;) {
    const auto index = static_cast<std::size_t>(i);
    checked_at_[index] = time_;
    distance_[index] = distance--;
    if (parent_[index] == kTerminal) return;
    i = neighbour(i, parent_[index]);
  }
}

}  // namespace limner::cutout
