#include "diffusion/schedulers/sigma_tables.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

#include <boost/math/special_functions/beta.hpp>

namespace limner::schedulers {
namespace {

// numpy.arange(first, 0, -step): its length and its way to add up rounding errors.
std::vector<double> arange_down(double first, double step) {
  const auto count = static_cast<std::size_t>(std::ceil(first / step));
  const double delta = (first - step) - first;
  std::vector<double> out;
  for (std::size_t i = 0; i < count; ++i) out.push_back(first + static_cast<double>(i) * delta);
  return out;
}

std::vector<double> trailing_timesteps(int last_timestep, double step) {
  auto timesteps = arange_down(last_timestep, step);
  for (double& t : timesteps) t = std::nearbyint(t) - 1;  // half to even, as numpy
  return timesteps;
}

// (count - 1) * ratio … 0, plus the offset.
std::vector<double> leading_timesteps(int ratio, int count, int offset) {
  std::vector<double> timesteps;
  for (int i = count - 1; i >= 0; --i) timesteps.push_back(static_cast<double>(i) * ratio + offset);
  return timesteps;
}

std::vector<double> karras_sigmas(double sigma_max, double sigma_min, int count) {
  constexpr double kRho = 7.0;  // arXiv:2206.00364
  const double max_root = std::pow(sigma_max, 1 / kRho);
  const double min_root = std::pow(sigma_min, 1 / kRho);
  auto sigmas = linspace(0, 1, count);
  for (double& ramp : sigmas) ramp = std::pow(max_root + ramp * (min_root - max_root), kRho);
  return sigmas;
}

std::vector<double> exponential_sigmas(double sigma_max, double sigma_min, int count) {
  auto sigmas = linspace(std::log(sigma_max), std::log(sigma_min), count);
  for (double& sigma : sigmas) sigma = std::exp(sigma);
  return sigmas;
}

std::vector<double> beta_sigmas(double sigma_max, double sigma_min, int count) {
  constexpr double kShape = 0.6;  // both parameters, arXiv:2407.12173
  auto sigmas = linspace(0, 1, count);
  for (double& ramp : sigmas) {
    ramp = sigma_min + boost::math::ibeta_inv(kShape, kShape, 1 - ramp) * (sigma_max - sigma_min);
  }
  return sigmas;
}

}  // namespace

std::vector<double> linspace(double first, double last, int count) {
  std::vector<double> out;
  const double step = (last - first) / (count - 1);
  for (int i = 0; i < count; ++i) out.push_back(i == 0 ? first : i * step + first);
  if (count > 1) out.back() = last;
  return out;
}

double interpolate(double x, std::span<const float> table) {
  const auto last = static_cast<double>(table.size() - 1);
  if (!(x > 0)) return table.front();
  if (x >= last) return table.back();
  const auto low = static_cast<std::size_t>(x);
  const double slope = static_cast<double>(table[low + 1]) - table[low];
  return slope * (x - static_cast<double>(low)) + table[low];
}

SpacingOptions read_spacing(OptionReader& options, TimestepSpacing fallback) {
  constexpr Choice<TimestepSpacing> kSpacings[] = {{"linspace", TimestepSpacing::Linspace},
                                                   {"leading", TimestepSpacing::Leading},
                                                   {"trailing", TimestepSpacing::Trailing}};
  return {.spacing = options.choice("timestep_spacing", fallback, kSpacings),
          .steps_offset = options.integer("steps_offset", 0, 0, 100'000)};
}

std::vector<double> spaced_timesteps(const SpacingOptions& options, int num_train_timesteps,
                                     int step_count) {
  switch (options.spacing) {
    case TimestepSpacing::Leading:
      return leading_timesteps(num_train_timesteps / step_count, step_count, options.steps_offset);
    case TimestepSpacing::Trailing:
      return trailing_timesteps(num_train_timesteps,
                                static_cast<double>(num_train_timesteps) / step_count);
    case TimestepSpacing::Linspace:
      break;
  }
  auto timesteps = linspace(0, num_train_timesteps - 1, step_count);
  std::ranges::reverse(timesteps);
  return timesteps;
}

std::vector<double> solver_timesteps(const SpacingOptions& options, int num_train_timesteps,
                                     int last_timestep, int step_count) {
  std::vector<double> timesteps;
  switch (options.spacing) {
    case TimestepSpacing::Trailing:
      return trailing_timesteps(last_timestep,
                                static_cast<double>(num_train_timesteps) / step_count);
    case TimestepSpacing::Leading:
      timesteps =
          leading_timesteps(last_timestep / (step_count + 1), step_count + 1, options.steps_offset);
      break;
    case TimestepSpacing::Linspace:
      timesteps = linspace(0, last_timestep - 1, step_count + 1);
      for (double& t : timesteps) t = std::nearbyint(t);
      std::ranges::reverse(timesteps);
      break;
  }
  timesteps.pop_back();
  return timesteps;
}

SigmaOptions read_sigma_options(OptionReader& options) {
  constexpr std::pair<std::string_view, SigmaSpacing> kFlags[] = {
      {"use_karras_sigmas", SigmaSpacing::Karras},
      {"use_exponential_sigmas", SigmaSpacing::Exponential},
      {"use_beta_sigmas", SigmaSpacing::Beta}};
  SigmaOptions out;
  for (const auto& [key, spacing] : kFlags) {
    if (!options.flag(key, false)) continue;
    if (out.spacing != SigmaSpacing::Default) {
      options.refuse(key,
                     "at most one of use_karras_sigmas, use_exponential_sigmas and "
                     "use_beta_sigmas to be true");
    }
    out.spacing = spacing;
  }
  for (auto [key, value] :
       {std::pair{"sigma_min", &out.sigma_min}, {"sigma_max", &out.sigma_max}}) {
    *value = options.optional_number(key);
    if (*value && !(**value > 0 && **value < 1e9)) options.refuse(key, "a number above 0 or null");
  }
  return out;
}

FinalSigma read_final_sigma(OptionReader& options) {
  constexpr Choice<FinalSigma> kFinalSigmas[] = {{"zero", FinalSigma::Zero},
                                                 {"sigma_min", FinalSigma::SigmaMin}};
  return options.choice("final_sigmas_type", FinalSigma::Zero, kFinalSigmas);
}

std::vector<double> space_sigmas(const SigmaOptions& options, double first, double last,
                                 int count) {
  const double sigma_max = options.sigma_max.value_or(first);
  const double sigma_min = options.sigma_min.value_or(last);
  switch (options.spacing) {
    case SigmaSpacing::Default:
    case SigmaSpacing::Karras:
      break;
    case SigmaSpacing::Exponential:
      return exponential_sigmas(sigma_max, sigma_min, count);
    case SigmaSpacing::Beta:
      return beta_sigmas(sigma_max, sigma_min, count);
  }
  return karras_sigmas(sigma_max, sigma_min, count);
}

double sigma_to_timestep(double sigma, std::span<const float> log_sigmas) {
  const double log_sigma = std::log(std::max(sigma, 1e-10));
  // The last level not above this one. Levels of a zero-SNR schedule may fall at their end, so that
  // a binary search would err.
  const auto last = std::ranges::find_if(log_sigmas.rbegin(), log_sigmas.rend(),
                                         [=](float level) { return log_sigma >= level; });
  const auto rank = static_cast<std::size_t>(log_sigmas.rend() - last);  // 0: above all
  const std::size_t low = std::min(rank == 0 ? 0 : rank - 1, log_sigmas.size() - 2);
  const float width = log_sigmas[low] - log_sigmas[low + 1];
  const double weight = std::clamp((log_sigmas[low] - log_sigma) / width, 0.0, 1.0);
  const auto index = static_cast<double>(low);
  return (1 - weight) * index + weight * (index + 1);
}

std::vector<double> sigmas_to_timesteps(std::span<const double> sigmas,
                                        std::span<const float> log_sigmas) {
  std::vector<double> out;
  for (const double sigma : sigmas) out.push_back(sigma_to_timestep(sigma, log_sigmas));
  return out;
}

// A quotient of polynomials in x - 1 for x in (sqrt(1/2), sqrt(2)], by Horner with fused
// operations; the coefficients are those of numpy's float32 logarithm.
float numpy_log(float x) {
  constexpr float kNumerator[] = {2.589979117907922693523e-02F, 3.808837741388407920751e-01F,
                                  1.480000633576506585156e+00F, 2.112677543073053063722e+00F,
                                  9.999999999999998702752e-01F, 0.0F};
  constexpr float kDenominator[] = {5.875095403124574342950e-03F, 1.546476374983906719538e-01F,
                                    9.864942958519418960339e-01F, 2.453006071784736363091e+00F,
                                    2.612677543073109236779e+00F, 1.0F};
  if (!std::isnormal(x) || x < 0) return std::log(x);
  int exponent = 0;
  float mantissa = std::frexp(x, &exponent);  // in [1/2, 1)
  if (mantissa * 2 <= std::numbers::sqrt2_v<float>) {
    mantissa *= 2;
    --exponent;
  }
  const float y = mantissa - 1;
  float numerator = 0;
  float denominator = 0;
  for (const float coefficient : kNumerator) numerator = std::fma(numerator, y, coefficient);
  for (const float coefficient : kDenominator) denominator = std::fma(denominator, y, coefficient);
  return std::fma(static_cast<float>(exponent), std::numbers::ln2_v<float>,
                  numerator / denominator);
}

std::vector<float> logarithms(std::span<const float> values) {
  std::vector<float> out;
  for (const float value : values) out.push_back(numpy_log(value));
  return out;
}

std::vector<double> rounded(std::vector<double> values) {
  for (double& value : values) value = std::nearbyint(value);
  return values;
}

std::vector<float> to_float(std::span<const double> values) {
  std::vector<float> out;
  for (const double value : values) out.push_back(static_cast<float>(value));
  return out;
}

}  // namespace limner::schedulers
