#include "runtime/precision_meter.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <memory>
#include <numeric>
#include <utility>
#include <vector>

#include <openvino/core/model.hpp>
#include <openvino/op/constant.hpp>
#include <openvino/op/convolution.hpp>
#include <openvino/op/matmul.hpp>
#include <openvino/op/parameter.hpp>
#include <openvino/op/result.hpp>
#include <openvino/runtime/properties.hpp>

#include "runtime/library_error.hpp"

namespace limner::runtime {
namespace {

using std::chrono::steady_clock;
using Seconds = std::chrono::duration<double>;

constexpr int kRoundsMin = 2;
constexpr int kRoundsMax = 8;
constexpr Seconds kTimeMax{0.4};  // after which no further round begins

// Numbers of the size that weights have; zeros would be skipped or be slow as subnormals.
std::shared_ptr<ov::op::v0::Constant> weights(const ov::Shape& shape) {
  std::vector<float> values(ov::shape_size(shape));
  std::size_t i = 0;
  for (float& value : values) value = 0.01f * static_cast<float>(i++ % 17 + 1);
  return std::make_shared<ov::op::v0::Constant>(ov::element::f32, shape, values);
}

std::shared_ptr<ov::Model> model_of(const std::shared_ptr<ov::op::v0::Parameter>& input,
                                    const std::shared_ptr<ov::Node>& last) {
  return std::make_shared<ov::Model>(
      ov::ResultVector{std::make_shared<ov::op::v0::Result>(last->output(0))},
      ov::ParameterVector{input}, "precision");
}

std::shared_ptr<ov::Model> convolution(std::size_t channels, std::size_t side) {
  const auto x =
      std::make_shared<ov::op::v0::Parameter>(ov::element::f32, ov::Shape{1, channels, side, side});
  return model_of(x, std::make_shared<ov::op::v1::Convolution>(
                         x, weights({channels, channels, 3, 3}), ov::Strides{1, 1},
                         ov::CoordinateDiff{1, 1}, ov::CoordinateDiff{1, 1}, ov::Strides{1, 1}));
}

// Four times as wide as its input, as feed-forward layers are.
std::shared_ptr<ov::Model> product(std::size_t channels, std::size_t side) {
  const auto x = std::make_shared<ov::op::v0::Parameter>(ov::element::f32,
                                                         ov::Shape{1, side * side, channels});
  return model_of(
      x, std::make_shared<ov::op::v0::MatMul>(x, weights({4 * channels, channels}), false, true));
}

// One network in one precision, and the least time it took.
class Runner {
 public:
  Runner(ov::Core& core, const std::string& device, ov::AnyMap config,
         const std::shared_ptr<ov::Model>& model, ov::element::Type type) {
    config.insert(ov::hint::inference_precision(type));
    request_ = core.compile_model(model, device, config).create_infer_request();
    auto input = request_.get_input_tensor();
    std::fill_n(input.data<float>(), input.get_size(), 0.5f);
    request_.infer();  // the first one allocates
  }

  void run() {
    const auto started = steady_clock::now();
    request_.infer();
    least_ = std::min(least_, Seconds(steady_clock::now() - started));
  }
  double least_seconds() const { return least_.count(); }

 private:
  ov::InferRequest request_;
  Seconds least_ = Seconds::max();
};

}  // namespace

Result<PrecisionTimes> measure_precisions(ov::Core& core, const std::string& device,
                                          const ov::AnyMap& config, const ProbeSizes& sizes) {
  const auto channels = static_cast<std::size_t>(sizes.channels);
  const auto side = static_cast<std::size_t>(sizes.side);
  try {
    std::vector<Runner> f32;
    std::vector<Runner> bf16;
    for (const auto& model : {convolution(channels, side), product(channels, side)}) {
      f32.emplace_back(core, device, config, model, ov::element::f32);
      bf16.emplace_back(core, device, config, model, ov::element::bf16);
    }
    // In turns, so that what else the machine does meets both.
    const auto started = steady_clock::now();
    for (int round = 0; round < kRoundsMax; ++round) {
      if (round >= kRoundsMin && steady_clock::now() - started >= kTimeMax) break;
      for (std::size_t i = 0; i < f32.size(); ++i) {
        f32[i].run();
        bf16[i].run();
      }
    }
    const auto sum = [](const std::vector<Runner>& runners) {
      return std::accumulate(runners.begin(), runners.end(), 0.0,
                             [](double all, const Runner& r) { return all + r.least_seconds(); });
    };
    return PrecisionTimes{.f32_seconds = sum(f32), .bf16_seconds = sum(bf16)};
  } catch (const std::exception& e) {
    return library_error("f32 and bf16 could not be compared", e);
  }
}

}  // namespace limner::runtime
