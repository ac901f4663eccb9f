// A pipeline without weights or library: its pictures are a function of seed, prompt and steps, its
// time and its failures are what the test says. Also behind `--model fake=fake:` in contract tests.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "diffusion/pipelines/pipeline.hpp"

namespace limner::test {

struct FakeOptions {
  std::string name = "fake";
  int step_count = 8;  // of a request that does not say
  int rows_max = 4;    // the budget of one call
  int size_multiple_px = 8;
  std::size_t prompt_chars_max = 32'000;
  std::vector<std::string> adapters = {};
  // Runs in every network call with its row count: turns a ManualClock, or really waits.
  std::function<void(int rows)> on_step = {};
  std::function<void()> on_prepare = {};
  std::function<void(pipelines::DecodeQuality)> on_decode = {};
};

// Prompts that fail. Found anywhere in the text, so that one prompt may ask for several.
inline constexpr std::string_view kFailPrepare = "[fail prepare]";
inline constexpr std::string_view kFilesChanged = "[files changed]";  // found by prepare
inline constexpr std::string_view kThrowPrepare = "[throw prepare]";
inline constexpr std::string_view kFailStep = "[fail step ";  // "[fail step 3]": the third, alone
inline constexpr std::string_view kPoisonStep = "[poison step ";  // the call fails for all in it
inline constexpr std::string_view kThrowStep = "[throw step ";
inline constexpr std::string_view kFailPreview = "[fail preview]";
inline constexpr std::string_view kFailDecode = "[fail decode]";
inline constexpr std::string_view kStuckStep = "[stuck]";  // succeeds without advancing

class FakePipeline final : public pipelines::Pipeline {
 public:
  // One network call as it was made.
  struct Call {
    std::vector<std::string> request_ids;
    std::vector<pipelines::BatchKey> keys;
    int rows = 0;
  };
  // Outlives the pipeline, which a model pool may unload. Shared with the test.
  struct Record {
    mutable std::mutex mutex;
    std::vector<Call> calls;
    std::vector<std::string> prepared;
    std::vector<std::string> decoded;
    int previews = 0;
    std::vector<Call> taken_calls() {
      std::lock_guard lock(mutex);
      return std::exchange(calls, {});
    }
  };

  explicit FakePipeline(FakeOptions options = {},
                        std::shared_ptr<Record> record = std::make_shared<Record>());

  const ModelTraits& traits() const override { return traits_; }
  pipelines::BatchShape batch_shape(const GenerationRequest& request) const override;
  int rows_max(const pipelines::BatchKey&) const override { return options_.rows_max; }
  Result<EffectiveParams> check(const GenerationRequest& request) const override;
  Result<std::unique_ptr<pipelines::DenoiseState>> prepare(
      const GenerationRequest& request) override;
  std::vector<Result<void>> step(std::span<pipelines::DenoiseState* const> states) override;
  Result<std::vector<Image>> decode(pipelines::DenoiseState& state,
                                    pipelines::DecodeQuality quality) override;

  // The picture a request must get, for assertions.
  static Image painted(const GenerationRequest& request, int image_index, int step_index);

 private:
  const FakeOptions options_;
  const ModelTraits traits_;
  const std::shared_ptr<Record> record_;
};

}  // namespace limner::test
