#include "diffusion/schedulers/noise_schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <span>

namespace limner::schedulers {
namespace {

// torch.linspace in float32: from both ends to the middle, each value by one fused operation.
std::vector<float> torch_linspace(double first, double last, int count) {
  const auto start = static_cast<float>(first);
  const auto end = static_cast<float>(last);
  const float step = (end - start) / static_cast<float>(count - 1);
  std::vector<float> out(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) {
    out[static_cast<std::size_t>(i)] =
        i < count / 2 ? std::fma(step, static_cast<float>(i), start)
                      : std::fma(-step, static_cast<float>(count - 1 - i), end);
  }
  return out;
}

double alpha_bar(BetaSchedule schedule, double t) {
  switch (schedule) {
    case BetaSchedule::Exp:
      return std::exp(t * -12.0);
    case BetaSchedule::Laplace: {
      const double lambda =
          -0.5 * std::copysign(1.0, 0.5 - t) * std::log(1 - 2 * std::abs(0.5 - t) + 1e-6);
      const double snr = std::exp(lambda);
      return std::sqrt(snr / (1 + snr));
    }
    case BetaSchedule::SquaredcosCapV2:
    case BetaSchedule::Linear:
    case BetaSchedule::ScaledLinear:
    case BetaSchedule::Sigmoid:
      break;
  }
  const double cosine = std::cos((t + 0.008) / 1.008 * std::numbers::pi / 2);
  return cosine * cosine;
}

std::vector<float> betas_for_alpha_bar(BetaSchedule schedule, int count) {
  constexpr double kBetaMax = 0.999;
  std::vector<float> betas;
  for (int i = 0; i < count; ++i) {
    const double ratio = alpha_bar(schedule, static_cast<double>(i + 1) / count) /
                         alpha_bar(schedule, static_cast<double>(i) / count);
    betas.push_back(static_cast<float>(std::min(1 - ratio, kBetaMax)));
  }
  return betas;
}

std::vector<float> make_betas(BetaSchedule schedule, double start, double end, int count) {
  switch (schedule) {
    case BetaSchedule::Linear:
      return torch_linspace(start, end, count);
    case BetaSchedule::ScaledLinear: {
      auto betas = torch_linspace(std::sqrt(start), std::sqrt(end), count);
      for (float& beta : betas) beta *= beta;
      return betas;
    }
    case BetaSchedule::Sigmoid: {
      auto betas = torch_linspace(-6.0, 6.0, count);
      for (float& beta : betas) {
        const auto sigmoid = static_cast<float>(1.0 / (1.0 + std::exp(-static_cast<double>(beta))));
        beta = sigmoid * static_cast<float>(end - start) + static_cast<float>(start);
      }
      return betas;
    }
    case BetaSchedule::SquaredcosCapV2:
    case BetaSchedule::Exp:
    case BetaSchedule::Laplace:
      break;
  }
  return betas_for_alpha_bar(schedule, count);
}

// torch.cumprod of 1 - betas: the running product in double, each value rounded.
std::vector<float> cumulative_alphas(std::span<const float> betas) {
  std::vector<float> out;
  double product = 1.0;
  for (const float beta : betas) {
    product *= 1.0F - beta;
    out.push_back(static_cast<float>(product));
  }
  return out;
}

// Algorithm 1 of arXiv:2305.08891: shifts sqrt(alpha_bar) so that it ends at zero.
std::vector<float> rescale_zero_terminal_snr(std::span<const float> betas) {
  auto bars = cumulative_alphas(betas);
  for (float& bar : bars) bar = std::sqrt(bar);
  const float first = bars.front();
  const float last = bars.back();
  const float scale = first / (first - last);
  for (float& bar : bars) {
    bar = (bar - last) * scale;
    bar *= bar;
  }
  std::vector<float> rescaled{1.0F - bars.front()};
  for (std::size_t i = 1; i < bars.size(); ++i) rescaled.push_back(1.0F - bars[i] / bars[i - 1]);
  return rescaled;
}

BetaSchedule read_beta_schedule(OptionReader& options, const NoiseScheduleTraits& traits) {
  using enum BetaSchedule;
  constexpr Choice<BetaSchedule> kCommon[] = {
      {"linear", Linear}, {"scaled_linear", ScaledLinear}, {"squaredcos_cap_v2", SquaredcosCapV2}};
  constexpr Choice<BetaSchedule> kWithExp[] = {{"linear", Linear},
                                               {"scaled_linear", ScaledLinear},
                                               {"squaredcos_cap_v2", SquaredcosCapV2},
                                               {"exp", Exp}};
  constexpr Choice<BetaSchedule> kOfDdpm[] = {{"linear", Linear},
                                              {"scaled_linear", ScaledLinear},
                                              {"squaredcos_cap_v2", SquaredcosCapV2},
                                              {"laplace", Laplace},
                                              {"sigmoid", Sigmoid}};
  constexpr std::string_view kKey = "beta_schedule";
  if (traits.knows_exp) return options.choice(kKey, traits.beta_schedule, kWithExp);
  if (traits.knows_laplace_and_sigmoid) return options.choice(kKey, traits.beta_schedule, kOfDdpm);
  return options.choice(kKey, traits.beta_schedule, kCommon);
}

}  // namespace

std::vector<float> NoiseSchedule::sigmas() const {
  std::vector<float> out;
  for (const float alpha : alphas_cumprod) out.push_back(std::sqrt((1.0F - alpha) / alpha));
  return out;
}

NoiseSchedule read_noise_schedule(OptionReader& options, const NoiseScheduleTraits& traits) {
  constexpr int kTrainTimestepsMax = 100'000;  // diffusers' models use 1000
  NoiseSchedule schedule;
  schedule.num_train_timesteps =
      options.integer("num_train_timesteps", 1000, 2, kTrainTimestepsMax);
  schedule.beta_schedule = read_beta_schedule(options, traits);
  const double start = options.number("beta_start", traits.beta_start);
  const double end = options.number("beta_end", traits.beta_end);
  if (!(start >= 0.0 && start < 1.0)) options.refuse("beta_start", "a number in [0, 1)");
  if (!(end >= 0.0 && end < 1.0)) options.refuse("beta_end", "a number in [0, 1)");
  const auto trained = options.numbers("trained_betas");
  const bool rescales =
      traits.can_rescale_zero_snr && options.flag("rescale_betas_zero_snr", false);
  if (!trained.empty() &&
      trained.size() != static_cast<std::size_t>(schedule.num_train_timesteps)) {
    options.refuse("trained_betas", "num_train_timesteps numbers");
  }
  if (options.error()) return schedule;

  std::vector<float> betas(trained.begin(), trained.end());
  if (betas.empty()) {
    betas = make_betas(schedule.beta_schedule, start, end, schedule.num_train_timesteps);
  }
  if (rescales) betas = rescale_zero_terminal_snr(betas);
  schedule.alphas_cumprod = cumulative_alphas(betas);
  if (rescales && traits.has_floor) schedule.alphas_cumprod.back() = 0x1p-24F;
  return schedule;
}

}  // namespace limner::schedulers
