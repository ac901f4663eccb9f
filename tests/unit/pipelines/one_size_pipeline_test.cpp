#include "diffusion/pipelines/one_size_pipeline.hpp"

#include <gtest/gtest.h>

namespace limner::pipelines {
namespace {

// What reached the model, and a picture with a frame of one colour and a middle of another.
class Recorder final : public Pipeline {
 public:
  class State final : public DenoiseState {
   public:
    int step_index() const override { return steps_done; }
    int step_count() const override { return 1; }
    const EffectiveParams& effective() const override { return effective_; }
    int steps_done = 0;
    EffectiveParams effective_;
  };

  Recorder() { traits_.defaults.size = {64, 64}; }
  const ModelTraits& traits() const override { return traits_; }
  BatchShape batch_shape(const GenerationRequest& request) const override {
    return {
        .key = {.latent_height = request.size.height_px, .latent_width = request.size.width_px}};
  }
  int rows_max(const BatchKey&) const override { return 1; }
  Result<EffectiveParams> check(const GenerationRequest& request) const override {
    if (request.size.width_px > 512) return invalid_value("size", "size: too large");
    EffectiveParams effective;
    effective.size = request.size;
    return effective;
  }
  Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) override {
    seen = request;
    auto state = std::make_unique<State>();
    state->effective_.size = request.size;
    return std::unique_ptr<DenoiseState>(std::move(state));
  }
  std::vector<Result<void>> step(std::span<DenoiseState* const> states) override {
    for (auto* state : states) ++dynamic_cast<State&>(*state).steps_done;
    return std::vector<Result<void>>(states.size());
  }
  Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality) override {
    EXPECT_EQ(dynamic_cast<State&>(state).effective_.size, (ImageSize{64, 64}));
    Image picture = Image::blank({64, 64}, 3, 200);
    for (int y = 16; y < 48; ++y) {
      for (int x = 16; x < 48; ++x) std::fill_n(picture.row(y) + x * 3, 3, std::uint8_t{50});
    }
    return std::vector{picture};
  }

  GenerationRequest seen;

 private:
  ModelTraits traits_;
};

class OneSize : public testing::Test {
 protected:
  OneSize() {
    auto recorder = std::make_unique<Recorder>();
    inner_ = recorder.get();
    pipeline_ = std::make_unique<OneSizePipeline>(std::move(recorder));
  }

  Image paint(const GenerationRequest& request) {
    auto state = pipeline_->prepare(request);
    EXPECT_TRUE(state);
    DenoiseState* states[] = {state->get()};
    EXPECT_TRUE(pipeline_->step(states).front());
    EXPECT_TRUE((*state)->is_finished());
    EXPECT_EQ((*state)->effective().size, request.size);
    auto pictures = pipeline_->decode(**state, DecodeQuality::Full);
    EXPECT_TRUE(pictures);
    return pictures->front();
  }

  Recorder* inner_ = nullptr;
  std::unique_ptr<OneSizePipeline> pipeline_;
};

GenerationRequest of_size(ImageSize size) {
  GenerationRequest request;
  request.size = size;
  return request;
}

int level(const Image& picture, int x, int y) {
  return picture.row(y)[x * 3];
}

TEST_F(OneSize, own_size_passes_through) {
  const Image picture = paint(of_size({64, 64}));
  EXPECT_EQ(picture.size, (ImageSize{64, 64}));
  EXPECT_TRUE(pipeline_->check(of_size({64, 64}))->notes.empty());
}

TEST_F(OneSize, a_painting_keeps_its_shape_and_its_border_fills_the_rest) {
  const Image picture = paint(of_size({384, 128}));
  EXPECT_EQ(inner_->seen.size, (ImageSize{64, 64}));
  ASSERT_EQ(picture.size, (ImageSize{384, 128}));
  // The middle is a square of 64 pixels, twice its own size.
  EXPECT_EQ(level(picture, 192, 64), 50);
  EXPECT_EQ(level(picture, 192 - 40, 64), 200);
  EXPECT_EQ(level(picture, 192 + 40, 64), 200);
  EXPECT_EQ(level(picture, 0, 64), 200);
  EXPECT_EQ(level(picture, 383, 127), 200);
  const auto effective = pipeline_->check(of_size({384, 128}));
  ASSERT_EQ(effective->notes.size(), 1U);
  EXPECT_NE(effective->notes.front().find("64x64"), std::string::npos);
}

TEST_F(OneSize, an_edited_picture_is_stretched_both_ways) {
  auto request = of_size({128, 64});
  request.init_image = std::make_shared<const Image>(Image::blank(request.size, 3, 7));
  request.mask = std::make_shared<const Mask>(Mask{Image::blank(request.size, 1, 255)});
  const Image picture = paint(request);
  EXPECT_EQ(inner_->seen.init_image->size, (ImageSize{64, 64}));
  EXPECT_EQ(inner_->seen.mask->grey.size, (ImageSize{64, 64}));
  ASSERT_EQ(picture.size, request.size);
  EXPECT_EQ(level(picture, 40, 32), 50);  // would be border if the shape was kept
}

TEST_F(OneSize, requests_of_all_sizes_share_a_batch) {
  EXPECT_EQ(pipeline_->batch_shape(of_size({128, 64})).key,
            pipeline_->batch_shape(of_size({64, 512})).key);
}

TEST_F(OneSize, a_size_that_the_model_refuses_is_refused) {
  EXPECT_FALSE(pipeline_->check(of_size({1024, 64})));
  EXPECT_FALSE(pipeline_->prepare(of_size({1024, 64})));
}

}  // namespace
}  // namespace limner::pipelines
