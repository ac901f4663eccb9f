// What every family of latent diffusion does with its network's answers, whatever the network: one
// that rounds otherwise in larger calls, one that gives what is no number.
#include "diffusion/pipelines/latent_pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <functional>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "diffusion/pipelines/pixels.hpp"
#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

using ::testing::Each;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Le;

// Each latent is a pixel of every colour, changed by `spoil`.
class FakeAutoencoder final : public models::Autoencoder {
 public:
  explicit FakeAutoencoder(std::function<float(float)> spoil) : spoil_(std::move(spoil)) {
    config_.latent_channels = 3;
    config_.level_count = 1;
    config_.scaling_factor = 1;
  }
  const models::AutoencoderConfig& config() const override { return config_; }
  Result<runtime::Tensor> decode(std::span<const float> latents, std::int64_t height,
                                 std::int64_t width) override {
    std::vector<float> pixels(latents.begin(), latents.end());
    for (float& x : pixels) x = spoil_(x);
    return runtime::Tensor(
        {1, 3, static_cast<std::size_t>(height), static_cast<std::size_t>(width)},
        std::move(pixels));
  }
  Result<runtime::Tensor> encode(std::span<const float> pixels, std::int64_t height,
                                 std::int64_t width) override {
    return decode(pixels, height, width);
  }

 private:
  models::AutoencoderConfig config_;
  std::function<float(float)> spoil_;
};

constexpr const char* kSpoilt = "spoilt";
constexpr float kSpoiltEmbeds = 5;

struct Behaviour {
  int rows_max = 8;
  float rounds_by = 0;  // for each further row of a call
  float spoilt = 0;     // what the denoiser gives for a prompt that says so
  float embeds = 1;
  std::function<float(float)> autoencoder = [](float x) { return x; };
};

class FakeLatentPipeline final : public LatentPipeline {
 public:
  explicit FakeLatentPipeline(Behaviour behaviour)
      : LatentPipeline(parts_of(behaviour), make_traits()), behaviour_(std::move(behaviour)) {}

  Result<EffectiveParams> check(const GenerationRequest& request) const override {
    return check_common(request, traits());
  }

  std::vector<std::size_t> calls;  // rows of each

 protected:
  Result<GuidedConditioning> encode(const GenerationRequest& request, bool guided) override {
    const auto embeds = [](float value) {
      return Conditioning{.prompt_embeds = std::make_shared<const runtime::Tensor>(
                              runtime::Shape{1, 1, 1}, std::vector{value})};
    };
    const bool is_spoilt = request.prompt.text == kSpoilt;
    GuidedConditioning both{.text = embeds(is_spoilt ? kSpoiltEmbeds : behaviour_.embeds),
                            .uncond = std::nullopt};
    if (guided) both.uncond = embeds(0);
    return both;
  }
  int sequence_length(const GenerationRequest&) const override { return 1; }

  Result<void> predict(std::span<const NetworkRow> rows, LatentShape,
                       std::span<float> noise_pred) override {
    calls.push_back(rows.size());
    std::size_t next = 0;
    for (const auto& row : rows) {
      const float text = row.conditioning->prompt_embeds->data()[0];
      for (const float x : row.sample) {
        const float rounding = behaviour_.rounds_by * static_cast<float>(rows.size() - 1);
        noise_pred[next++] = 0.3f * x + 0.1f * text + rounding;
        if (text == kSpoiltEmbeds) noise_pred[next - 1] = behaviour_.spoilt;
      }
    }
    return {};
  }

 private:
  static Parts parts_of(const Behaviour& behaviour) {
    const auto scheduler =
        schedulers::load_scheduler_config({{"_class_name", "EulerDiscreteScheduler"}}).value();
    return {.vae = std::make_unique<FakeAutoencoder>(behaviour.autoencoder),
            .scheduler = scheduler,
            .inpaint_scheduler = scheduler,
            .scaling = {.shift = {0}, .factor = {1}},
            .rows_max = behaviour.rows_max};
  }
  static ModelTraits make_traits() {
    ModelTraits traits;
    traits.name = "fake";
    traits.size_multiple_px = traits.side_px_min = 1;
    traits.schedulers = {SchedulerKind::Euler};
    traits.defaults.scheduler = SchedulerKind::Euler;
    traits.tasks = {Task::TextToImage, Task::ImageToImage};
    return traits;
  }

  Behaviour behaviour_;
};

GenerationRequest asking(std::uint64_t seed, int image_count = 1, double guidance_scale = 2) {
  GenerationRequest request;
  request.size = {16, 16};
  request.sampling.seed = seed;
  request.sampling.num_inference_steps = 3;
  request.sampling.guidance_scale = guidance_scale;
  request.image_count = image_count;
  return request;
}

// The pictures of all requests, painted in each other's company.
std::vector<Image> paint(FakeLatentPipeline& pipeline,
                         const std::vector<GenerationRequest>& requests) {
  std::vector<std::unique_ptr<DenoiseState>> states;
  std::vector<DenoiseState*> running;
  for (const auto& request : requests) {
    states.push_back(pipeline.prepare(request).value());
    running.push_back(states.back().get());
  }
  while (!running.front()->is_finished()) {
    for (const auto& done : pipeline.step(running)) {
      EXPECT_TRUE(done) << done.error().message;
      if (!done) return {};
    }
  }
  std::vector<Image> pictures;
  for (auto* state : running) {
    auto images = pipeline.decode(*state, DecodeQuality::Full);
    EXPECT_TRUE(images) << images.error().message;
    if (images) std::ranges::move(*images, std::back_inserter(pictures));
  }
  return pictures;
}

// Picture by picture: does each have the bytes that it has alone?
void expect_same_alone(Behaviour behaviour, const std::vector<GenerationRequest>& requests) {
  FakeLatentPipeline pipeline(behaviour);
  const auto together = paint(pipeline, requests);
  std::size_t next = 0;
  for (const auto& request : requests) {
    for (int i = 0; i < request.image_count; ++i, ++next) {
      auto alone = request;
      alone.image_count = 1;
      alone.sampling.seed += static_cast<std::uint64_t>(i);
      FakeLatentPipeline fresh(behaviour);
      ASSERT_LT(next, together.size());
      EXPECT_EQ(paint(fresh, {alone}).at(0).pixels, together[next].pixels) << next;
    }
  }
}

TEST(Company, ChangesNoByteHoweverTheNetworkRoundsItsBatches) {
  for (const float rounds_by : {0.0f, 0.05f}) {
    for (const int rows_max : {1, 2, 8}) {
      const Behaviour behaviour{.rows_max = rows_max, .rounds_by = rounds_by};
      expect_same_alone(behaviour, {asking(7, 3)});
      expect_same_alone(behaviour, {asking(7, 2), asking(1, 1, 1.0), asking(2), asking(5, 4, 1.0)});
    }
  }
}

TEST(Company, SharesCallsOnceTheyWereSeenToGiveTheSameBits) {
  FakeLatentPipeline exact({});
  paint(exact, {asking(7, 4)});
  // Compared in the first step: four guided pictures together, then each alone.
  EXPECT_THAT(exact.calls, ElementsAre(8, 2, 2, 2, 2, 8, 8));
  FakeLatentPipeline rounding({.rounds_by = 0.05f});
  paint(rounding, {asking(7, 4)});
  EXPECT_EQ(rounding.calls.front(), 8u);
  rounding.calls.clear();
  paint(rounding, {asking(7, 4)});
  EXPECT_THAT(rounding.calls, Each(2u));
}

TEST(Company, IsNotSharedWithWhereRowsAreNotToBe) {
  FakeLatentPipeline pipeline({.rows_max = 1});
  paint(pipeline, {asking(7, 3), asking(1, 2, 1.0)});
  EXPECT_THAT(pipeline.calls, Each(Le(2u)));
}

GenerationRequest spoilt() {
  auto request = asking(2);
  request.prompt.text = kSpoilt;
  return request;
}

constexpr float kUnusable[] = {NAN, INFINITY, -INFINITY, 1e38f};

void expect_non_finite(const Error& error, const char* where) {
  EXPECT_EQ(error.kind, ErrorKind::Internal);
  EXPECT_EQ(error.code, "non_finite_numbers");
  EXPECT_THAT(error.message, HasSubstr(where));
}

TEST(Numbers, ThatAreNoneFailTheirRequestAndNobodyElses) {
  for (const float bad : kUnusable) {
    FakeLatentPipeline pipeline({.spoilt = bad});
    const auto good = pipeline.prepare(asking(1)).value();
    const auto poor = pipeline.prepare(spoilt()).value();
    DenoiseState* const both[] = {good.get(), poor.get()};
    const auto results = pipeline.step(both);
    EXPECT_TRUE(results[0]);
    EXPECT_EQ(good->step_index(), 1);
    ASSERT_FALSE(results[1]);
    expect_non_finite(results[1].error(), "the denoiser at step 1 of 3");
    EXPECT_EQ(poor->step_index(), 0) << "a failed entry has not moved";
  }
}

TEST(Numbers, ThatAreNoneSayNothingAboutRounding) {
  FakeLatentPipeline pipeline({.spoilt = NAN});
  const auto good = pipeline.prepare(asking(1)).value();
  const auto poor = pipeline.prepare(spoilt()).value();
  DenoiseState* const both[] = {good.get(), poor.get()};
  pipeline.step(both);
  pipeline.calls.clear();
  paint(pipeline, {asking(7, 2)});
  EXPECT_THAT(pipeline.calls, ElementsAre(4, 2, 2, 4, 4)) << "compared, and then shared";
}

TEST(Numbers, ThatAreNoneAreSeenInEncodingsAndPixels) {
  for (const float bad : kUnusable) {
    FakeLatentPipeline reader({.embeds = bad});
    const auto unread = reader.prepare(asking(1));
    ASSERT_FALSE(unread);
    expect_non_finite(unread.error(), "the text encoder");

    FakeLatentPipeline decoder({.autoencoder = [bad](float) { return bad; }});
    const auto state = decoder.prepare(asking(1)).value();
    DenoiseState* const one = state.get();
    while (!one->is_finished()) ASSERT_TRUE(decoder.step({&one, 1}).front());
    const auto pictures = decoder.decode(*one, DecodeQuality::Full);
    ASSERT_FALSE(pictures);
    expect_non_finite(pictures.error(), "the autoencoder");

    auto edit = asking(1);
    edit.task = Task::ImageToImage;
    edit.init_image = std::make_shared<const Image>(Image::blank({16, 16}, 3));
    const auto begun = decoder.prepare(edit);
    ASSERT_FALSE(begun);
    expect_non_finite(begun.error(), "the autoencoder");
  }
}

TEST(Numbers, BecomeBytesWhateverTheyAre) {
  EXPECT_EQ(to_byte(-1), 0);
  EXPECT_EQ(to_byte(1), 255);
  EXPECT_EQ(to_byte(0), 128);  // 127.5, to even
  EXPECT_EQ(to_byte(INFINITY), 255);
  EXPECT_EQ(to_byte(-INFINITY), 0);
  EXPECT_EQ(to_byte(NAN), 0);
  EXPECT_EQ(to_byte(-NAN), 0);
}

}  // namespace
}  // namespace limner::pipelines
