#include "api/shorten_prompt.hpp"

#include <vector>

namespace limner::api {
namespace {

// Ends of words, ascending.
std::vector<std::size_t> word_ends(const std::string& text) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    const bool is_end = text[i - 1] != ' ' && (i == text.size() || text[i] == ' ');
    if (is_end) ends.push_back(i);
  }
  return ends;
}

}  // namespace

bool is_prompt_too_long(const Error& error) {
  return error.code == "prompt_too_long";
}

std::optional<std::string> longest_accepted(const GenerationRequest& request, Painter& painter) {
  const auto& text = request.prompt.text;
  const auto ends = word_ends(text);
  std::size_t fits = 0;  // words known to fit
  std::size_t too_many = ends.size() + 1;
  GenerationRequest attempt = request;
  attempt.truncates_prompt = false;
  attempt.prompt.negative.clear();
  while (fits + 1 < too_many) {
    const std::size_t middle = (fits + too_many) / 2;
    attempt.prompt.text = text.substr(0, ends[middle - 1]);
    const auto estimate = painter.estimate(attempt);
    if (!estimate && !is_prompt_too_long(estimate.error())) return std::nullopt;
    (estimate ? fits : too_many) = middle;
  }
  if (fits == 0) return std::nullopt;
  return text.substr(0, ends[fits - 1]);
}

}  // namespace limner::api
