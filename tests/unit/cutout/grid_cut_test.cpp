#include "cutout/grid_cut.hpp"

#include <gtest/gtest.h>

#include "unit/cutout/scenes.hpp"

namespace limner::cutout {
namespace {

struct Problem {
  ImageSize size;
  std::vector<int> subject_costs;
  std::vector<int> background_costs;
  std::vector<std::array<int, GridCut::kForwardNeighbours>> neighbour_costs;
};

constexpr int kDx[] = {1, 0, 1, -1};
constexpr int kDy[] = {0, 1, 1, 1};

Problem random_problem(ImageSize size, testing::Noise& noise) {
  Problem problem{.size = size, .subject_costs = {}, .background_costs = {}, .neighbour_costs = {}};
  const auto draw = [&] { return static_cast<int>((noise.next() + 1) * 10); };
  for (int i = 0; i < size.width_px * size.height_px; ++i) {
    problem.subject_costs.push_back(draw());
    problem.background_costs.push_back(draw());
    problem.neighbour_costs.push_back({draw() / 2, draw() / 2, draw() / 2, draw() / 2});
  }
  return problem;
}

int cost_of(const Problem& problem, const std::vector<std::uint8_t>& is_subject) {
  int cost = 0;
  const auto [width, height] = problem.size;
  for (int y = 0; y < height; ++y) {
    for (int x = 0; x < width; ++x) {
      const auto i = static_cast<std::size_t>(y * width + x);
      cost += is_subject[i] ? problem.subject_costs[i] : problem.background_costs[i];
      for (int n = 0; n < GridCut::kForwardNeighbours; ++n) {
        const int other_x = x + kDx[n];
        const int other_y = y + kDy[n];
        if (other_x < 0 || other_x >= width || other_y >= height) continue;
        const auto j = static_cast<std::size_t>(other_y * width + other_x);
        if (is_subject[i] != is_subject[j]) {
          cost += problem.neighbour_costs[i][static_cast<std::size_t>(n)];
        }
      }
    }
  }
  return cost;
}

std::vector<std::uint8_t> solve(const Problem& problem) {
  GridCut cut(problem.size);
  for (int y = 0; y < problem.size.height_px; ++y) {
    for (int x = 0; x < problem.size.width_px; ++x) {
      const auto i = static_cast<std::size_t>(y * problem.size.width_px + x);
      cut.set_costs(x, y, problem.subject_costs[i], problem.background_costs[i]);
      for (int n = 0; n < GridCut::kForwardNeighbours; ++n) {
        cut.set_neighbour_cost(x, y, n, problem.neighbour_costs[i][static_cast<std::size_t>(n)]);
      }
    }
  }
  return cut.solve();
}

// Tries all 2^n ways.
int smallest_cost(const Problem& problem) {
  const auto count = problem.subject_costs.size();
  int smallest = cost_of(problem, std::vector<std::uint8_t>(count, 0));
  for (unsigned choice = 1; choice < 1u << count; ++choice) {
    std::vector<std::uint8_t> is_subject(count);
    for (std::size_t i = 0; i < count; ++i) is_subject[i] = choice >> i & 1;
    smallest = std::min(smallest, cost_of(problem, is_subject));
  }
  return smallest;
}

TEST(GridCut, finds_the_smallest_of_all_cuts) {
  testing::Noise noise;
  for (const ImageSize size : {ImageSize{1, 1}, {2, 2}, {3, 4}, {4, 3}, {1, 9}, {12, 1}}) {
    for (int round = 0; round < 30; ++round) {
      const Problem problem = random_problem(size, noise);
      EXPECT_EQ(cost_of(problem, solve(problem)), smallest_cost(problem));
    }
  }
}

TEST(GridCut, cannot_be_improved_by_turning_any_square_of_a_large_picture) {
  testing::Noise noise;
  const ImageSize size{60, 50};
  const Problem problem = random_problem(size, noise);
  const auto best = solve(problem);
  const int cost = cost_of(problem, best);
  for (int side = 1; side <= 3; ++side) {
    for (int y = 0; y + side <= size.height_px; y += side) {
      for (int x = 0; x + side <= size.width_px; x += side) {
        auto turned = best;
        for (int dy = 0; dy < side; ++dy) {
          for (int dx = 0; dx < side; ++dx) {
            turned[static_cast<std::size_t>((y + dy) * size.width_px + x + dx)] ^= 1;
          }
        }
        ASSERT_GE(cost_of(problem, turned), cost);
      }
    }
  }
}

}  // namespace
}  // namespace limner::cutout
