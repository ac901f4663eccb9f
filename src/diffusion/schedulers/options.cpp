#include "diffusion/schedulers/options.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "base/check.hpp"

namespace limner::schedulers {
namespace {

constexpr std::string_view kKnownOptions[] = {
    "algorithm_type",
    "base_image_seq_len",
    "base_shift",
    "beta_end",
    "beta_schedule",
    "beta_start",
    "clip_sample",
    "clip_sample_range",
    "disable_corrector",
    "dynamic_thresholding_ratio",
    "euler_at_final",
    "final_sigmas_type",
    "flow_shift",
    "interpolation_type",
    "invert_sigmas",
    "lambda_min_clipped",
    "lower_order_final",
    "max_image_seq_len",
    "max_shift",
    "noise_sampler_seed",
    "num_train_timesteps",
    "original_inference_steps",
    "predict_x0",
    "prediction_type",
    "rescale_betas_zero_snr",
    "sample_max_value",
    "set_alpha_to_one",
    "shift",
    "shift_terminal",
    "sigma_max",
    "sigma_min",
    "skip_prk_steps",
    "solver_order",
    "solver_p",
    "solver_type",
    "steps_offset",
    "stochastic_sampling",
    "thresholding",
    "time_shift_type",
    "timestep_scaling",
    "timestep_spacing",
    "timestep_type",
    "trained_betas",
    "use_beta_sigmas",
    "use_dynamic_shifting",
    "use_exponential_sigmas",
    "use_flow_sigmas",
    "use_karras_sigmas",
    "use_lu_lambdas",
    "variance_type",
};

// Python writes infinities as bare words, which read_json_file hands on as strings.
std::optional<double> number_of(const json::value& value) {
  if (value.is_number()) return value.to_number<double>();
  if (const auto* word = value.if_string()) {
    if (*word == "Infinity") return std::numeric_limits<double>::infinity();
    if (*word == "-Infinity") return -std::numeric_limits<double>::infinity();
  }
  return std::nullopt;
}

std::optional<int> integer_of(const json::value& value) {
  const auto number = number_of(value);
  if (!number || std::floor(*number) != *number || std::abs(*number) > 1e9) return std::nullopt;
  return static_cast<int>(*number);
}

}  // namespace

bool is_known_option(std::string_view key) {
  return std::ranges::binary_search(kKnownOptions, key);
}

bool OptionReader::flag(std::string_view key, bool fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (value->is_null()) return false;  // as Python takes None
  if (value->is_bool()) return value->get_bool();
  refuse(key, "true or false");
  return fallback;
}

int OptionReader::integer(std::string_view key, int fallback, int min, int max) {
  const auto* value = find(key);
  if (!value) return fallback;
  const auto number = integer_of(*value);
  if (number && *number >= min && *number <= max) return *number;
  refuse(key, fmt::format("an integer from {} to {}", min, max));
  return fallback;
}

double OptionReader::number(std::string_view key, double fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (const auto number = number_of(*value)) return *number;
  refuse(key, "a number");
  return fallback;
}

std::optional<double> OptionReader::optional_number(std::string_view key) {
  const auto* value = find(key);
  if (!value || value->is_null()) return std::nullopt;
  const auto number = number_of(*value);
  if (!number) refuse(key, "a number or null");
  return number;
}

std::vector<double> OptionReader::numbers(std::string_view key) {
  const auto* value = find(key);
  if (!value || value->is_null()) return {};
  std::vector<double> out;
  if (const auto* array = value->if_array()) {
    for (const auto& element : *array) {
      const auto number = number_of(element);
      if (!number) break;
      out.push_back(*number);
    }
    if (out.size() == array->size()) return out;
  }
  refuse(key, "an array of numbers or null");
  return {};
}

std::vector<int> OptionReader::integers(std::string_view key) {
  std::vector<int> out;
  for (const double number : numbers(key)) {
    if (std::floor(number) != number || std::abs(number) > 1e9) {
      refuse(key, "an array of integers");
      return {};
    }
    out.push_back(static_cast<int>(number));
  }
  return out;
}

bool OptionReader::is_null(std::string_view key) {
  const auto* value = find(key);
  return value && value->is_null();
}

void OptionReader::must_be_null(std::string_view key) {
  const auto* value = find(key);
  if (value && !value->is_null()) refuse(key, "null");
}

void OptionReader::refuse(std::string_view key, std::string_view allowed) {
  if (error_) return;
  const auto* value = listed_.if_contains(key);
  const std::string got = value ? json::serialize(*value) : "nothing";
  error_ = invalid_value(key, fmt::format("{}: {}: got {}, expected {}", class_name_, key,
                                          got.substr(0, 80), allowed));
}

const json::value* OptionReader::find(std::string_view key) {
  LIMNER_CHECK(is_known_option(key), "an option missing from kKnownOptions");
  return listed_.if_contains(key);
}

const std::string* OptionReader::text(std::string_view key) {
  const auto* value = find(key);
  if (!value) return nullptr;
  // Not a string: an empty word, which no choice matches.
  text_ = value->is_string() ? std::string(value->get_string()) : std::string();
  return &text_;
}

}  // namespace limner::schedulers
