#include "diffusion/tokenizers/prompt_weights.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <optional>

#include <fmt/format.h>

namespace limner::tokenizers {
namespace {

constexpr double kRoundFactor = 1.1;
constexpr double kSquareFactor = 1 / 1.1;
constexpr double kWeightMax = 100;
constexpr std::size_t kDepthMax = 64;
constexpr std::string_view kBreak = "BREAK";

bool is_space(char c) {
  return c == ' ' || (c >= '\t' && c <= '\r');
}

// Ideographic commas and the like end a word; letters beyond ASCII do so here, too.
bool is_word(char c) {
  return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '_';
}

std::size_t skip_spaces(std::string_view text, std::size_t i) {
  while (i < text.size() && is_space(text[i])) ++i;
  return i;
}

struct ClosingWeight {
  double factor;
  std::size_t size;  // of `: 1.3 )`
};

// The `:1.3)` that `text` begins with.
std::optional<ClosingWeight> closing_weight(std::string_view text) {
  const std::size_t start = skip_spaces(text, 1);
  const bool has_sign = start < text.size() && (text[start] == '+' || text[start] == '-');
  const std::size_t stop_digits = text.find_first_not_of("0123456789.", start + has_sign);
  if (stop_digits == text.npos) return std::nullopt;
  const std::size_t end = skip_spaces(text, stop_digits);
  if (end == text.size() || text[end] != ')') return std::nullopt;
  std::string_view number = text.substr(start, stop_digits - start);
  if (number.starts_with('+')) number.remove_prefix(1);
  double factor = 0;
  const auto [stop, ec] = std::from_chars(number.data(), number.data() + number.size(), factor);
  if (ec != std::errc() || stop != number.data() + number.size()) return std::nullopt;
  return ClosingWeight{factor, end + 1};
}

// Where the next BREAK that is a word of its own begins, npos without one.
std::size_t find_break(std::string_view text, std::size_t from) {
  for (std::size_t at = text.find(kBreak, from); at != text.npos; at = text.find(kBreak, at + 1)) {
    const std::size_t end = at + kBreak.size();
    if ((at == 0 || !is_word(text[at - 1])) && (end == text.size() || !is_word(text[end])))
      return at;
  }
  return text.npos;
}

class Parser {
 public:
  Result<std::vector<WeightedText>> parse(std::string_view prompt) {
    for (std::size_t i = 0; i < prompt.size() && !is_too_deep_;) i += take(prompt.substr(i));
    for (const std::size_t first : round_) multiply(first, kRoundFactor);
    for (const std::size_t first : square_) multiply(first, kSquareFactor);
    if (is_too_deep_) {
      return invalid_value("prompt",
                           fmt::format("prompt: brackets nest deeper than {}", kDepthMax));
    }
    return join();
  }

 private:
  struct Stretch {
    std::string text;
    double weight = 1.0;
    bool begins_chunk = false;
  };

  // Takes what stands at the front of `rest`, one byte at least, and says how many.
  std::size_t take(std::string_view rest) {
    switch (rest.front()) {
      case '\\':
        return take_escape(rest);
      case '(':
        open(round_);
        return 1;
      case '[':
        open(square_);
        return 1;
      case ')':
        if (!close(round_, kRoundFactor)) add_text(")");
        return 1;
      case ']':
        if (!close(square_, kSquareFactor)) add_text("]");
        return 1;
      case ':':
        if (const auto weight = closing_weight(rest); weight && close(round_, weight->factor)) {
          return weight->size;
        }
        add_text(":");
        return 1;
      default: {
        const std::size_t size = std::min(rest.find_first_of("\\()[]:"), rest.size());
        add_text(rest.substr(0, size));
        return size;
      }
    }
  }

  // A backslash before anything but a bracket or another one vanishes, as in the original.
  std::size_t take_escape(std::string_view rest) {
    const bool escapes = rest.size() > 1 && std::string_view("()[]\\").find(rest[1]) != rest.npos;
    if (escapes) stretches_.push_back({.text = std::string(1, rest[1])});
    return escapes ? 2 : 1;
  }

  void add_text(std::string_view text) {
    bool begins_chunk = false;
    for (std::size_t start = 0;;) {
      const std::size_t at = find_break(text, start);
      std::size_t end = std::min(at, text.size());
      if (at != text.npos) {
        while (end > start && is_space(text[end - 1])) --end;
      }
      stretches_.push_back(
          {.text = std::string(text.substr(start, end - start)), .begins_chunk = begins_chunk});
      if (at == text.npos) return;
      start = skip_spaces(text, at + kBreak.size());
      begins_chunk = true;
    }
  }

  void open(std::vector<std::size_t>& brackets) {
    brackets.push_back(stretches_.size());
    is_too_deep_ |= brackets.size() > kDepthMax;
  }

  bool close(std::vector<std::size_t>& brackets, double factor) {
    if (brackets.empty()) return false;
    multiply(brackets.back(), factor);
    brackets.pop_back();
    return true;
  }

  void multiply(std::size_t first, double factor) {
    for (std::size_t i = first; i < stretches_.size(); ++i) stretches_[i].weight *= factor;
  }

  Result<std::vector<WeightedText>> join() const {
    std::vector<WeightedText> joined;
    double weight = 0;
    for (const auto& stretch : stretches_) {
      if (!(std::abs(stretch.weight) <= kWeightMax)) {
        return invalid_value(
            "prompt", fmt::format("prompt: got a weight of {:g}, expected {} to {}", stretch.weight,
                                  -kWeightMax, kWeightMax));
      }
      if (!joined.empty() && stretch.weight == weight && !stretch.begins_chunk) {
        joined.back().text += stretch.text;
        continue;
      }
      weight = stretch.weight;
      joined.push_back({stretch.text, static_cast<float>(weight), stretch.begins_chunk});
    }
    if (joined.empty()) joined.emplace_back();
    return joined;
  }

  std::vector<Stretch> stretches_;
  std::vector<std::size_t> round_;  // the stretch after each bracket that is open
  std::vector<std::size_t> square_;
  bool is_too_deep_ = false;
};

}  // namespace

Result<std::vector<WeightedText>> parse_prompt_weights(std::string_view prompt) {
  return Parser().parse(prompt);
}

}  // namespace limner::tokenizers
