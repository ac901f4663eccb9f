#include "api/fit_prompt.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace limner::api {
namespace {

enum class Verdict { Fits, TooLong, Wrong };

bool is_too_long(const Error& error) {
  return error.code == "prompt_too_long";
}

Verdict judge(const GenerationRequest& request, Painter& painter) {
  const auto estimate = painter.estimate(request);
  if (estimate) return Verdict::Fits;
  return is_too_long(estimate.error()) ? Verdict::TooLong : Verdict::Wrong;
}

// Ends of words, ascending.
std::vector<std::size_t> word_ends(std::string_view text) {
  std::vector<std::size_t> ends;
  for (std::size_t i = 1; i <= text.size(); ++i) {
    const bool is_end = text[i - 1] != ' ' && (i == text.size() || text[i] == ' ');
    if (is_end) ends.push_back(i);
  }
  return ends;
}

// `<lora:ink:0.8><lora:film>` of a text that holds more.
std::string tags_of(std::string_view text) {
  constexpr std::string_view kOpening = "<lora:";
  std::string tags;
  while (true) {
    const auto begin = text.find(kOpening);
    const auto end = begin == text.npos ? text.npos : text.find('>', begin);
    if (end == text.npos) return tags;
    tags += text.substr(begin, end - begin + 1);
    text.remove_prefix(end + 1);
  }
}

struct Cut {
  std::string text;
  std::size_t kept = 0;  // words
  std::size_t of = 0;
};

// The longest beginning that is not too long. Empty when not a word fits, or something else is
// wrong.
std::optional<Cut> cut_to_fit(const GenerationRequest& request, bool reads_tags, Painter& painter) {
  const std::string& text = request.prompt.text;
  const auto ends = word_ends(text);
  const auto beginning = [&](std::size_t words) {
    const auto size = ends[words - 1];
    return text.substr(0, size) +
           (reads_tags ? tags_of(std::string_view(text).substr(size)) : std::string());
  };
  GenerationRequest attempt = request;
  attempt.prompt.negative.clear();
  std::size_t fits = 0;  // words known to fit
  std::size_t too_many = ends.size() + 1;
  while (fits + 1 < too_many) {
    const std::size_t middle = (fits + too_many) / 2;
    attempt.prompt.text = beginning(middle);
    const auto verdict = judge(attempt, painter);
    if (verdict == Verdict::Wrong) return std::nullopt;
    (verdict == Verdict::Fits ? fits : too_many) = middle;
  }
  if (fits == 0) return std::nullopt;
  return Cut{.text = beginning(fits), .kept = fits, .of = ends.size()};
}

}  // namespace

FittedPrompt fit_prompt(GenerationRequest& request, const FitOptions& options, Painter& painter) {
  if (judge(request, painter) != Verdict::TooLong) return {};
  auto& chunks_max = request.prompt_reading.chunks_max;
  if (options.chunks_max > chunks_max) {
    chunks_max = options.chunks_max;
    if (judge(request, painter) == Verdict::Fits) {
      return {.revised = {},
              .notes = {"prompt: longer than this model reads at once, it was read "
                        "in chunks"}};
    }
  }
  auto cut = cut_to_fit(request, options.reads_tags, painter);
  request.truncates_prompt = true;
  if (!cut || cut->kept == cut->of) return {};
  FittedPrompt fitted{.revised = cut->text, .notes = {}};
  fitted.notes.push_back(
      fmt::format("prompt: longer than this model reads, its first {} of {} words were used",
                  cut->kept, cut->of));
  request.prompt.text = std::move(cut->text);
  return fitted;
}

Result<void> refuse_long_prompt(const GenerationRequest& request, Painter& painter) {
  const auto estimate = painter.estimate(request);
  if (estimate || !is_too_long(estimate.error())) return {};
  auto error = estimate.error();
  error.message += "; the server cuts it with --truncate-prompts";
  return error;
}

}  // namespace limner::api
