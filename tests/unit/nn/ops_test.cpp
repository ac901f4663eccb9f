// Each operation against its formula, run through the real runtime on small numbers.
#include "nn/ops.hpp"

#include <cmath>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "nn/graph.hpp"
#include "runtime/runtime.hpp"

namespace limner::nn {
namespace {

using ::testing::ElementsAre;
using ::testing::FloatNear;
using ::testing::HasSubstr;
using ::testing::Pointwise;

weights::TensorView tensor(weights::Shape shape, const std::vector<float>& values) {
  auto owner = std::make_shared<std::vector<float>>(values);
  const auto* bytes = reinterpret_cast<const std::uint8_t*>(owner->data());
  return {weights::DType::F32, std::move(shape), {bytes, values.size() * 4}, owner};
}

class Ops : public ::testing::Test {
 protected:
  void SetUp() override {
    auto created = runtime::Runtime::create({.precision = runtime::Precision::F32, .threads = 1});
    ASSERT_TRUE(created) << created.error().message;
    runtime_ = *std::move(created);
  }

  WeightScope weights(weights::TensorMap tensors, WeightFormat format = WeightFormat::Auto) {
    source_ = std::make_unique<weights::MapWeightSource>(std::move(tensors), "test");
    return WeightScope(*source_, format);
  }

  // Runs f on one input and gives its output's numbers.
  template <typename F>
  std::vector<float> run(const std::vector<float>& x, Shape shape, F&& f) {
    auto network = runtime_->compile(
        {.name = "op", .build = [&] {
           return trace("op", [&](Graph& graph) { graph.output("y", f(graph.input("x", shape))); });
         }});
    if (!network) {
      ADD_FAILURE() << network.error().message << " " << network.error().detail;
      return {};
    }
    std::vector<float> y(runtime::element_count((*network)->output_shape("y")));
    const runtime::Input input{"x", {shape.begin(), shape.end()}, std::span<const float>(x)};
    const runtime::Output output{"y", y};
    const auto ok = (*network)->run({&input, 1}, {&output, 1});
    EXPECT_TRUE(ok);
    return y;
  }

  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<weights::MapWeightSource> source_;
};

TEST_F(Ops, LinearIsXTimesWTransposedPlusBias) {
  const auto w = weights(
      {{"l.weight", tensor({2, 3}, {1, 0, 2, 0, 1, -1})}, {"l.bias", tensor({2}, {10, 20})}});
  EXPECT_THAT(run({1, 2, 3}, {1, 3}, [&](const Value& x) { return linear(x, w / "l"); }),
              ElementsAre(17, 19));
}

TEST_F(Ops, LinearReadsA1x1KernelToo) {
  const auto w = weights({{"l.weight", tensor({2, 3, 1, 1}, {1, 0, 2, 0, 1, -1})}});
  EXPECT_THAT(run({1, 2, 3}, {1, 3}, [&](const Value& x) { return linear(x, w / "l"); }),
              ElementsAre(7, -1));
}

TEST_F(Ops, LinearChunksAreTheWholeLayersParts) {
  const auto w = weights({{"l.weight", tensor({4, 2}, {1, 0, 0, 1, 1, 1, 2, -1})},
                          {"l.bias", tensor({4}, {10, 20, 30, 40})}});
  for (const int part : {0, 1}) {
    const auto whole = run({1, 2, 3, 4}, {1, 2, 2}, [&](const Value& x) {
      return chunk(linear(x, w / "l"), 2, -1)[static_cast<std::size_t>(part)];
    });
    EXPECT_THAT(run({1, 2, 3, 4}, {1, 2, 2},
                    [&](const Value& x) {
                      return linear_chunks(x, w / "l", 2)[static_cast<std::size_t>(part)];
                    }),
                ::testing::ElementsAreArray(whole));
  }
}

TEST_F(Ops, UpsampleConv2dIsAnEnlargementAndAConvolution) {
  // Uneven sides, more outputs than inputs, and every tap different.
  const Shape shape{2, 3, 8, 9};
  std::vector<float> x(2 * 3 * 8 * 9);
  for (std::size_t i = 0; i < x.size(); ++i) x[i] = std::sin(static_cast<float>(i) * 0.7f);
  std::vector<float> taps(5 * 3 * 9);
  for (std::size_t i = 0; i < taps.size(); ++i) taps[i] = std::cos(static_cast<float>(i) * 1.3f);
  const auto w =
      weights({{"c.weight", tensor({5, 3, 3, 3}, taps)}, {"c.bias", tensor({5}, {1, 2, 3, 4, 5})}});
  const auto plain = run(
      x, shape, [&](const Value& v) { return conv2d(interpolate_nearest(v, 16, 18), w / "c"); });
  ASSERT_EQ(plain.size(), 2U * 5 * 16 * 18);
  EXPECT_THAT(run(x, shape, [&](const Value& v) { return upsample_conv2d(v, w / "c"); }),
              Pointwise(FloatNear(1e-5f), plain));
}

TEST_F(Ops, Conv2dKeepsTheSizeByDefault) {
  const auto w = weights({{"c.weight", tensor({1, 1, 3, 3}, {0, 0, 0, 0, 1, 1, 0, 0, 0})}});
  EXPECT_THAT(run({1, 2, 3, 4}, {1, 1, 2, 2}, [&](const Value& x) { return conv2d(x, w / "c"); }),
              ElementsAre(3, 2, 7, 4));
}

TEST_F(Ops, Conv2dCanPadOnlyTheEnd) {
  const auto w = weights({{"c.weight", tensor({1, 1, 3, 3}, std::vector<float>(9, 1))}});
  // A 2x2 input padded to 3x3: one output, the sum of all.
  EXPECT_THAT(run({1, 2, 3, 4}, {1, 1, 2, 2},
                  [&](const Value& x) {
                    return conv2d(x, w / "c", {.stride = 2, .padding = 0, .extra_padding_end = 1});
                  }),
              ElementsAre(10));
}

TEST_F(Ops, GroupNormNormalisesEachGroup) {
  const auto w = weights({{"n.weight", tensor({2}, {1, 2})}, {"n.bias", tensor({2}, {0, 1})}});
  const auto y = run({1, 3, 10, 30}, {1, 2, 1, 2},
                     [&](const Value& x) { return group_norm(x, w / "n", 2, 0); });
  EXPECT_THAT(y, Pointwise(FloatNear(1e-5f), {-1.f, 1.f, -1.f, 3.f}));
}

TEST_F(Ops, LayerNormAndRmsNormDifferByTheMean) {
  const auto w = weights({{"n.weight", tensor({2}, {1, 1})}});
  EXPECT_THAT(run({1, 3}, {1, 2}, [&](const Value& x) { return layer_norm(x, w / "n", 0); }),
              Pointwise(FloatNear(1e-5f), {-1.f, 1.f}));
  const float root = std::sqrt(5.0f);
  EXPECT_THAT(run({1, 3}, {1, 2}, [&](const Value& x) { return rms_norm(x, w / "n", 0); }),
              Pointwise(FloatNear(1e-5f), {1 / root, 3 / root}));
}

TEST_F(Ops, ActivationsFollowTheirFormulas) {
  const std::vector<float> x{-2, -0.5f, 0, 1, 3};
  const auto expect = [&](std::string_view name, auto formula) {
    std::vector<float> wanted;
    for (const float v : x) wanted.push_back(static_cast<float>(formula(static_cast<double>(v))));
    EXPECT_THAT(run(x, {5}, [&](const Value& v) { return activation(v, name); }),
                Pointwise(FloatNear(2e-4f), wanted))
        << name;
  };
  expect("silu", [](double v) { return v / (1 + std::exp(-v)); });
  expect("quick_gelu", [](double v) { return v / (1 + std::exp(-1.702 * v)); });
  expect("gelu", [](double v) { return v * 0.5 * (1 + std::erf(v / std::sqrt(2.0))); });
  expect("gelu_new", [](double v) {
    return 0.5 * v * (1 + std::tanh(std::sqrt(2 / M_PI) * (v + 0.044715 * v * v * v)));
  });
}

TEST_F(Ops, AttentionIsSoftmaxOfScoresTimesValues) {
  // One head, two keys, width 1: scores q*k = 0 and ln 3, so weights 1/4 and 3/4.
  const std::vector<float> keys{0, std::log(3.0f)};
  const std::vector<float> values{4, 8};
  const auto y = run({1}, {1, 1, 1, 1}, [&](const Value& q) {
    return scaled_dot_product_attention(q, constant(keys, {1, 1, 2, 1}),
                                        constant(values, {1, 1, 2, 1}));
  });
  EXPECT_THAT(y, Pointwise(FloatNear(1e-4f), {7.f}));
}

TEST_F(Ops, CausalMaskHidesTheFuture) {
  const auto y = run({0, 0}, {1, 1, 2, 1}, [&](const Value& q) {
    return scaled_dot_product_attention(q, q, constant(std::vector<float>{1, 5}, {1, 1, 2, 1}),
                                        causal_mask(2));
  });
  EXPECT_THAT(y, Pointwise(FloatNear(1e-4f), {1.f, 3.f}));
}

TEST_F(Ops, HeadsAreSplitAndMergedBack) {
  const std::vector<float> x{0, 1, 2, 3, 4, 5, 6, 7};
  EXPECT_EQ(run(x, {1, 2, 4}, [](const Value& v) { return split_heads(v, 2); }),
            (std::vector<float>{0, 1, 4, 5, 2, 3, 6, 7}));
  EXPECT_EQ(run(x, {1, 2, 4}, [](const Value& v) { return merge_heads(split_heads(v, 2)); }), x);
}

TEST_F(Ops, InterpolateNearestTakesTheFloorOfTheRatio) {
  EXPECT_THAT(
      run({1, 2, 3}, {1, 1, 1, 3}, [](const Value& x) { return interpolate_nearest(x, 1, 5); }),
      ElementsAre(1, 1, 2, 2, 3));
}

TEST_F(Ops, EmbeddingWidensHalves) {
  auto halves = std::make_shared<std::vector<std::uint16_t>>(
      std::vector<std::uint16_t>{0x3c00, 0x4000, 0x4200, 0x4400});
  weights::TensorView table{weights::DType::F16,
                            {2, 2},
                            {reinterpret_cast<const std::uint8_t*>(halves->data()), 8},
                            halves};
  const auto w = weights({{"e.weight", table}});
  auto network = runtime_->compile({.name = "embedding", .build = [&] {
                                      return trace("embedding", [&](Graph& graph) {
                                        const Value ids = graph.input_int64("ids", {1, 2});
                                        graph.output("y", embedding(ids, w / "e"));
                                      });
                                    }});
  ASSERT_TRUE(network) << network.error().detail;
  const std::vector<std::int64_t> ids{1, 0};
  std::vector<float> y(4);
  const runtime::Input input{"ids", {1, 2}, std::span<const std::int64_t>(ids)};
  const runtime::Output output{"y", y};
  ASSERT_TRUE((*network)->run({&input, 1}, {&output, 1}));
  EXPECT_THAT(y, ElementsAre(3, 4, 1, 2));
}

TEST_F(Ops, Int8MultipliesByTheRoundedMatrix) {
  // Steps of 0.01 and 1: all but 0.014 and -25.4 are whole numbers of them.
  const auto w = weights({{"l.weight", tensor({2, 3}, {0.5f, -1.27f, 0.014f, 127, 50, -25.4f})}},
                         WeightFormat::Int8);
  const auto y = run({1, 2, 3}, {1, 3}, [&](const Value& x) { return linear(x, w / "l"); });
  EXPECT_THAT(y, Pointwise(FloatNear(1e-4f), {0.5f - 2 * 1.27f + 3 * 0.01f, 127.0f + 100 - 75}));
}

TEST_F(Ops, Int8LeavesKernelsAndVectorsAlone) {
  const auto w = weights({{"c.weight", tensor({2, 1, 1, 1}, {0.333f, -1.2345f})},
                          {"c.bias", tensor({2}, {0.001f, 77.7f})}},
                         WeightFormat::Int8);
  const auto y = run({1}, {1, 1, 1, 1}, [&](const Value& x) { return conv2d(x, w / "c"); });
  EXPECT_THAT(y, ElementsAre(0.333f + 0.001f, -1.2345f + 77.7f));
}

TEST_F(Ops, Int8RefusesNumbersThatAreNotFiniteByName) {
  const auto w = weights({{"l.weight", tensor({1, 2}, {1, INFINITY})}}, WeightFormat::Int8);
  const auto network = trace("unet", [&](Graph& graph) {
    linear(graph.input("x", {1, 2}), w / "l");
  });
  ASSERT_FALSE(network);
  EXPECT_THAT(network.error().message, HasSubstr("l.weight"));
}

TEST_F(Ops, MissingAndMisshapenWeightsAreNamed) {
  const auto w = weights({{"l.weight", tensor({2, 3}, {1, 0, 2, 0, 1, -1})}});
  const auto error_of = [&](auto write) {
    return trace("unet", [&](Graph& graph) { write(graph.input("x", {1, 5})); }).error().message;
  };
  EXPECT_THAT(error_of([&](const Value& x) { linear(x, w / "other"); }),
              HasSubstr("no tensor other.weight"));
  const std::string misfit = error_of([&](const Value& x) { linear(x, w / "l"); });
  EXPECT_THAT(misfit, HasSubstr("l.weight"));
  EXPECT_THAT(misfit, HasSubstr("[2, 3]"));
}

TEST_F(Ops, AScopeKnowsWhatWasNeverRead) {
  const auto w = weights({{"l.weight", tensor({1, 1}, {2})}, {"left.over", tensor({1}, {1})}});
  run({1}, {1, 1}, [&](const Value& x) { return linear(x, w / "l"); });
  EXPECT_THAT(w.unused(), ElementsAre("left.over"));
  EXPECT_TRUE(w.has("l"));
  EXPECT_FALSE(w.has("le"));
}

TEST_F(Ops, WeightsThatAreNoNumbersAreRefusedByTheTensorsName) {
  const auto traced = [&](NumberCheck check) {
    source_ = std::make_unique<weights::MapWeightSource>(
        weights::TensorMap{{"fc.weight", tensor({2, 2}, {1, 2, 3, INFINITY})},
                           {"unused", tensor({1}, {NAN})}},
        "test");
    const WeightScope scope(*source_, WeightFormat::Auto, check);
    return trace("unet", [&](Graph& graph) {
      graph.output("y", linear(graph.input("x", {1, 2}), scope / "fc"));
    });
  };
  const auto refused = traced(NumberCheck::Yes);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().kind, ErrorKind::Internal) << "not the caller's fault";
  EXPECT_EQ(refused.error().code, "non_finite_numbers");
  EXPECT_THAT(refused.error().message, HasSubstr("unet: the tensor fc.weight"));
  EXPECT_THAT(refused.error().message, HasSubstr("the first at 3"));
  EXPECT_TRUE(traced(NumberCheck::No));
}

}  // namespace
}  // namespace limner::nn
