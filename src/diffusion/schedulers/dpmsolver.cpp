#include "diffusion/schedulers/dpmsolver.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace limner::schedulers {
namespace {

DpmAlgorithm read_algorithm(OptionReader& options) {
  using enum DpmAlgorithm;
  constexpr Choice<DpmAlgorithm> kAlgorithms[] = {{"dpmsolver++", DpmSolverPP},
                                                  {"sde-dpmsolver++", SdeDpmSolverPP},
                                                  {"dpmsolver", DpmSolver},
                                                  {"sde-dpmsolver", SdeDpmSolver}};
  return options.choice("algorithm_type", DpmSolverPP, kAlgorithms);
}

DpmSolverType read_solver_type(OptionReader& options) {
  using enum DpmSolverType;
  constexpr Choice<DpmSolverType> kSolverTypes[] = {{"midpoint", Midpoint}, {"heun", Heun}};
  return options.choice("solver_type", Midpoint, kSolverTypes);
}

}  // namespace

DpmOptions read_dpm_options(OptionReader& options, const NoiseScheduleTraits& traits,
                            bool lower_order_final) {
  DpmOptions out;
  out.solver = read_solver_options(options, traits, 3, lower_order_final);
  out.algorithm = read_algorithm(options);
  out.solver_type = read_solver_type(options);
  out.final_sigma = read_final_sigma(options);
  out.lambda_min_clipped =
      options.number("lambda_min_clipped", -std::numeric_limits<double>::infinity());
  if (!options.is_null("variance_type")) {
    // DDPM's words have no effect; learned ones mean twice the channels, which no latent model has.
    constexpr Choice<int> kVarianceTypes[] = {
        {"fixed_small", 0}, {"fixed_small_log", 0}, {"fixed_large", 0}, {"fixed_large_log", 0}};
    options.choice("variance_type", 0, kVarianceTypes);
  }
  if (!out.predicts_original() && out.final_sigma == FinalSigma::Zero) {
    options.refuse("algorithm_type",
                   "dpmsolver++ or sde-dpmsolver++ where final_sigmas_type is zero");
  }
  if (!out.predicts_original() && out.solver.prediction_type == PredictionType::FlowPrediction) {
    options.refuse("prediction_type", "epsilon, v_prediction or sample with this algorithm_type");
  }
  if (out.solver.flow.is_dynamic && out.solver.flow.time_shift != TimeShift::Exponential) {
    options.refuse("time_shift_type", "exponential");
  }
  return out;
}

int DpmSolverScheduler::last_timestep() const {
  const auto& alphas = options().noise.alphas_cumprod;
  const auto is_clipped = [&](float alpha) {
    const float lambda = log_float(std::sqrt(alpha)) - log_float(std::sqrt(1.0F - alpha));
    return static_cast<double>(lambda) < dpm_.lambda_min_clipped;
  };
  const auto clipped = std::ranges::count_if(alphas, is_clipped);
  return static_cast<int>(static_cast<std::ptrdiff_t>(alphas.size()) - clipped);
}

double DpmSolverScheduler::final_sigma() const {
  return dpm_.final_sigma == FinalSigma::Zero ? 0.0 : table().front();
}

DpmWeights DpmSolverScheduler::weights(int from_index, int to_index) const {
  const auto [alpha_s, sigma_s] = level_at(from_index);
  const auto [alpha, sigma] = level_at(to_index);
  const float h = lambda_at(to_index) - lambda_at(from_index);
  switch (dpm_.algorithm) {
    case DpmAlgorithm::DpmSolverPP: {
      const float decay = exp_float(-h) - 1.0F;
      return {.sample = sigma / sigma_s,
              .d0 = -(alpha * decay),
              .d1_midpoint = -0.5F * (alpha * decay),
              .d1_heun = alpha * (decay / h + 1.0F),
              .d2 = -(alpha * ((decay + h) / (h * h) - 0.5F))};
    }
    case DpmAlgorithm::DpmSolver: {
      const float growth = exp_float(h) - 1.0F;
      return {.sample = alpha / alpha_s,
              .d0 = -(sigma * growth),
              .d1_midpoint = -0.5F * (sigma * growth),
              .d1_heun = -(sigma * (growth / h - 1.0F)),
              .d2 = -(sigma * ((growth - h) / (h * h) - 0.5F))};
    }
    case DpmAlgorithm::SdeDpmSolverPP: {
      const float two_h = 2.0F * h;
      const float decay = 1.0F - exp_float(-two_h);
      return {.sample = sigma / sigma_s * exp_float(-h),
              .d0 = alpha * decay,
              .d1_midpoint = 0.5F * (alpha * decay),
              .d1_heun = alpha * (decay / -two_h + 1.0F),
              .d2 = alpha * ((decay - two_h) / (two_h * two_h) - 0.5F),
              .noise = sigma * std::sqrt(decay)};
    }
    case DpmAlgorithm::SdeDpmSolver:
      break;
  }
  const float growth = exp_float(h) - 1.0F;
  return {.sample = alpha / alpha_s,
          .d0 = -2.0F * (sigma * growth),
          .d1_midpoint = -(sigma * growth),
          .d1_heun = -2.0F * (sigma * (growth / h - 1.0F)),
          .noise = sigma * std::sqrt(exp_float(2.0F * h) - 1.0F)};
}

void DpmSolverScheduler::begin_step(ConstLatents model_output, int index, ConstLatents sample,
                                    TorchGenerator& generator) {
  std::vector<float> output(sample.size());
  if (dpm_.predicts_original()) {
    predict_original(model_output, index, sample, output);
  } else {
    output = epsilon_at(model_output, index, sample);
    if (options().limits.thresholding) {
      std::vector<float> original(sample.size());
      const auto level = level_at(index);
      original_from(PredictionType::Epsilon, level, output, sample, original);
      options().limits.apply(original);
      epsilon_from(PredictionType::Sample, level, original, sample, output);
    }
  }
  remember(std::move(output));
  if (!dpm_.draws_noise()) return;
  noise_.resize(sample.size());
  generator.randn(noise_);
}

void DpmSolverScheduler::combine(const DpmWeights& weights, ConstLatents d0, float d1_weight,
                                 ConstLatents d1, ConstLatents d2, Latents sample) const {
  for (std::size_t i = 0; i < sample.size(); ++i) {
    float x = weights.sample * sample[i] + weights.d0 * d0[i];
    if (!d1.empty()) x += d1_weight * d1[i];
    if (!d2.empty()) x += weights.d2 * d2[i];
    if (dpm_.draws_noise()) x += weights.noise * noise_[i];
    sample[i] = x;
  }
}

std::vector<float> scaled_difference(float scale, ConstLatents a, ConstLatents b) {
  std::vector<float> out(a.size());
  for (std::size_t i = 0; i < out.size(); ++i) out[i] = scale * (a[i] - b[i]);
  return out;
}

}  // namespace limner::schedulers
