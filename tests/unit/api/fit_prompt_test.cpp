#include "api/fit_prompt.hpp"

#include <iterator>
#include <sstream>

#include <gmock/gmock.h>

namespace limner::api {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

// Reads so many words, in as many chunks as it is let where it can.
class WordPainter final : public Painter {
 public:
  std::vector<ServedModel> models() const override { return {}; }
  Result<ServedModel> look_up(std::string_view) const override { return Error{}; }
  Result<ServedModel> find(std::string_view) override { return Error{}; }
  Result<PaintEstimate> estimate(const GenerationRequest& request) override {
    ++estimates;
    if (is_broken) return invalid_value("n", "n: wrong");
    std::istringstream text(request.prompt.text.substr(0, request.prompt.text.find('<')));
    const auto words = std::distance(std::istream_iterator<std::string>(text), {});
    const int chunks = can_chunk ? request.prompt_reading.chunks_max : 1;
    if (words <= 5L * chunks) return PaintEstimate{};
    return invalid_value("prompt", "prompt: too long", "prompt_too_long");
  }
  Result<Accepted> paint(std::vector<Candidate>, std::shared_ptr<EventSink>,
                         std::stop_token) override {
    return Error{};
  }

  bool can_chunk = true;
  bool is_broken = false;
  int estimates = 0;
};

class FitPromptTest : public ::testing::Test {
 protected:
  FittedPrompt fit(std::string prompt, FitOptions options = {.chunks_max = 2}) {
    request.prompt.text = std::move(prompt);
    return fit_prompt(request, options, painter);
  }

  WordPainter painter;
  GenerationRequest request;
};

TEST_F(FitPromptTest, WhatFitsIsLeftAlone) {
  const auto fitted = fit("a b c d e");
  EXPECT_FALSE(fitted.revised);
  EXPECT_THAT(fitted.notes, IsEmpty());
  EXPECT_EQ(request.prompt_reading.chunks_max, 1);
  EXPECT_EQ(painter.estimates, 1);
}

TEST_F(FitPromptTest, ChunksComeBeforeCutting) {
  const auto fitted = fit("a b c d e f");
  EXPECT_FALSE(fitted.revised);
  EXPECT_THAT(fitted.notes, ElementsAre(HasSubstr("in chunks")));
  EXPECT_EQ(request.prompt_reading.chunks_max, 2);
  EXPECT_EQ(request.prompt.text, "a b c d e f");
}

TEST_F(FitPromptTest, WhatIsBeyondTheChunksIsCutBetweenWords) {
  const auto fitted = fit("a b c d e f g h i jj kk");
  EXPECT_EQ(fitted.revised, "a b c d e f g h i jj");
  EXPECT_EQ(request.prompt.text, *fitted.revised);
  EXPECT_THAT(fitted.notes, ElementsAre(HasSubstr("first 10 of 11 words")));
}

TEST_F(FitPromptTest, AModelThatCannotChunkCuts) {
  painter.can_chunk = false;
  EXPECT_EQ(fit("a b c d e f g").revised, "a b c d e");
  EXPECT_TRUE(request.truncates_prompt);
}

TEST_F(FitPromptTest, LorasAreKeptThoughTheyStandAtTheEnd) {
  const FitOptions options{.chunks_max = 1, .reads_tags = true};
  EXPECT_EQ(fit("a b c d e f <lora:ink:0.8>", options).revised, "a b c d e<lora:ink:0.8>");
}

TEST_F(FitPromptTest, AnotherMistakeIsNotItsToMend) {
  painter.is_broken = true;
  EXPECT_THAT(fit("a b c d e f g").notes, IsEmpty());
  EXPECT_FALSE(request.truncates_prompt);
}

TEST_F(FitPromptTest, ARefusalNamesTheWayOut) {
  request.prompt.text = "a b c d e f";
  const auto refused = refuse_long_prompt(request, painter);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, "prompt_too_long");
  EXPECT_THAT(refused.error().message, HasSubstr("--truncate-prompts"));
  request.prompt.text = "a";
  EXPECT_TRUE(refuse_long_prompt(request, painter));
}

}  // namespace
}  // namespace limner::api
