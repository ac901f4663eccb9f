#include "diffusion/schedulers/prediction.hpp"

#include <algorithm>
#include <cmath>
#include <compare>
#include <vector>

#include "base/check.hpp"

namespace limner::schedulers {
namespace {

// out[i] = f(a[i], b[i]).
template <typename F>
void combine(ConstLatents a, ConstLatents b, Latents out, F f) {
  LIMNER_CHECK(a.size() == out.size() && b.size() == out.size(), "latents of different sizes");
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = f(a[i], b[i]);
}

// torch.quantile with linear interpolation, of magnitudes.
float quantile_of_magnitudes(ConstLatents values, double ratio) {
  LIMNER_CHECK(!values.empty(), "no latents");
  std::vector<float> sorted(values.begin(), values.end());
  for (float& value : sorted) value = std::abs(value);
  // A total order, since a broken network's NaN would break the other.
  std::ranges::sort(sorted, [](float a, float b) { return std::strong_order(a, b) < 0; });
  const float rank = static_cast<float>(ratio) * static_cast<float>(sorted.size() - 1);
  const auto low = static_cast<std::size_t>(rank);
  const std::size_t high = std::min(low + 1, sorted.size() - 1);
  return std::lerp(sorted[low], sorted[high], rank - static_cast<float>(low));
}

}  // namespace

PredictionType read_prediction_type(OptionReader& options, const PredictionTraits& traits) {
  using enum PredictionType;
  constexpr std::string_view kKey = "prediction_type";
  constexpr Choice<PredictionType> kAll[] = {{"epsilon", Epsilon},
                                             {"v_prediction", VPrediction},
                                             {"sample", Sample},
                                             {"flow_prediction", FlowPrediction}};
  const auto type = options.choice(kKey, Epsilon, kAll);
  if (type == Sample && !traits.sample) options.refuse(kKey, "epsilon or v_prediction");
  if (type == FlowPrediction && !traits.flow) {
    options.refuse(kKey,
                   traits.sample ? "epsilon, v_prediction or sample" : "epsilon or v_prediction");
  }
  return type;
}

void original_from(PredictionType type, NoiseLevel level, ConstLatents model_output,
                   ConstLatents sample, Latents original) {
  const auto [alpha, sigma] = level;
  switch (type) {
    case PredictionType::Epsilon:
      combine(model_output, sample, original,
              [=](float m, float x) { return (x - sigma * m) / alpha; });
      return;
    case PredictionType::Sample:
      combine(model_output, sample, original, [](float m, float) { return m; });
      return;
    case PredictionType::VPrediction:
      combine(model_output, sample, original,
              [=](float m, float x) { return alpha * x - sigma * m; });
      return;
    case PredictionType::FlowPrediction:
      combine(model_output, sample, original, [=](float m, float x) { return x - sigma * m; });
      return;
  }
}

void epsilon_from(PredictionType type, NoiseLevel level, ConstLatents model_output,
                  ConstLatents sample, Latents epsilon) {
  const auto [alpha, sigma] = level;
  switch (type) {
    case PredictionType::Epsilon:
      combine(model_output, sample, epsilon, [](float m, float) { return m; });
      return;
    case PredictionType::Sample:
      combine(model_output, sample, epsilon,
              [=](float m, float x) { return (x - alpha * m) / sigma; });
      return;
    case PredictionType::VPrediction:
      combine(model_output, sample, epsilon,
              [=](float m, float x) { return alpha * m + sigma * x; });
      return;
    case PredictionType::FlowPrediction:
      break;
  }
  LIMNER_CHECK(type != PredictionType::FlowPrediction, "a flow has no epsilon");
}

void unscaled_original_from(PredictionType type, float sigma, ConstLatents model_output,
                            ConstLatents sample, Latents original) {
  if (type == PredictionType::VPrediction) {
    const float scale = sigma * sigma + 1.0F;
    const float output_scale = -sigma / std::sqrt(scale);
    combine(model_output, sample, original,
            [=](float m, float x) { return m * output_scale + x / scale; });
    return;
  }
  original_from(type, {.alpha = 1.0F, .sigma = sigma}, model_output, sample, original);
}

void mix(NoiseLevel level, ConstLatents original, ConstLatents noise, Latents noisy) {
  const auto [alpha, sigma] = level;
  combine(original, noise, noisy, [=](float x0, float e) { return alpha * x0 + sigma * e; });
}

void OriginalLimits::apply(Latents original) const {
  if (thresholding) {
    const float quantile = quantile_of_magnitudes(original, dynamic_thresholding_ratio);
    const float limit = std::min(std::max(quantile, 1.0F), static_cast<float>(sample_max_value));
    for (float& x : original) x = std::min(std::max(x, -limit), limit) / limit;
  } else if (clip_sample) {
    const auto range = static_cast<float>(clip_sample_range);
    for (float& x : original) x = std::min(std::max(x, -range), range);
  }
}

void read_thresholding(OptionReader& options, OriginalLimits& limits) {
  limits.thresholding = options.flag("thresholding", false);
  limits.dynamic_thresholding_ratio = options.number("dynamic_thresholding_ratio", 0.995);
  limits.sample_max_value = options.number("sample_max_value", 1.0);
  if (!(limits.dynamic_thresholding_ratio >= 0 && limits.dynamic_thresholding_ratio <= 1)) {
    options.refuse("dynamic_thresholding_ratio", "a number from 0 to 1");
  }
  if (!(limits.sample_max_value > 0)) options.refuse("sample_max_value", "a number above 0");
}

void read_clipping(OptionReader& options, bool fallback, OriginalLimits& limits) {
  limits.clip_sample = options.flag("clip_sample", fallback);
  limits.clip_sample_range = options.number("clip_sample_range", 1.0);
  if (!(limits.clip_sample_range > 0)) options.refuse("clip_sample_range", "a number above 0");
}

}  // namespace limner::schedulers
