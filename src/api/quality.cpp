#include "api/quality.hpp"

#include <array>

#include "base/check.hpp"

namespace limner::api {
namespace {

struct Row {
  Quality quality;
  std::string_view word;
  double steps_factor;
  std::int64_t token_side_px;
};

// In the enum's order. The first three count as gpt-image-1 does. From one to the next it is four
// times the tokens; max goes on like that, xhigh is between.
constexpr std::array kRows = {
    Row{Quality::Low, "low", 0.4, 64},   Row{Quality::Medium, "medium", 1.0, 32},
    Row{Quality::High, "high", 1.6, 16}, Row{Quality::XHigh, "xhigh", 2.2, 12},
    Row{Quality::Max, "max", 3.0, 8},
};

constexpr std::array<std::string_view, 8> kWords = {"auto", "low",      "medium", "high",
                                                    "hd",   "standard", "xhigh",  "max"};

const Row& row_of(Quality quality) {
  const auto& row = kRows.at(static_cast<std::size_t>(quality));
  LIMNER_CHECK(row.quality == quality);
  return row;
}

}  // namespace

std::string_view to_string(Quality quality) {
  return row_of(quality).word;
}

std::span<const std::string_view> quality_words() {
  return kWords;
}

std::optional<Quality> parse_quality(std::string_view word) {
  if (word == "standard") return Quality::Medium;
  if (word == "hd") return Quality::High;
  for (const auto& row : kRows) {
    if (row.word == word) return row.quality;
  }
  return std::nullopt;
}

double steps_factor(Quality quality) {
  return row_of(quality).steps_factor;
}

std::int64_t token_side_px(Quality quality) {
  return row_of(quality).token_side_px;
}

}  // namespace limner::api
