// UniPCMultistepScheduler, arXiv:2302.04867: each call first corrects the step before it, then
// predicts the next.
#include <algorithm>
#include <cmath>
#include <vector>

#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/requests.hpp"
#include "diffusion/schedulers/solver_scheduler.hpp"

namespace limner::schedulers {
namespace {

constexpr int kSolverOrderMax = 6;

enum class SolverType { Bh1, Bh2 };

struct UniPcOptions {
  SolverOptions solver;
  SolverType solver_type = SolverType::Bh2;
  FinalSigma final_sigma = FinalSigma::Zero;
  bool predict_x0 = true;
  std::vector<int> disable_corrector;  // indices of steps that are not corrected
};

class UniPcMultistepScheduler final : public SolverScheduler {
 public:
  explicit UniPcMultistepScheduler(UniPcOptions options)
      : SolverScheduler(options.solver), unipc_(std::move(options)) {}

  bool takes_sigmas() const override { return is_plain_flow(); }
  Result<void> set_timesteps(const ScheduleRequest& request) override;
  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  // One way from a level to the next: what predictor and corrector have in common.
  struct Move {
    float sample = 0.0F;        // weights of the old sample,
    float output = 0.0F;        // of the newest output,
    float residual = 0.0F;      // and of the differences to it
    std::vector<float> ratios;  // of the older levels' distances to that of the move, then 1
    std::vector<float> matrix;  // order x order, by rows
    std::vector<float> right_side;
  };

  bool is_plain_flow() const {
    return options().use_flow_sigmas && options().sigmas.spacing == SigmaSpacing::Default;
  }
  Levels shifted_flow_levels(const ScheduleRequest& request) const;
  Move move_between(int from_index, int to_index, int order) const;
  std::vector<float> convert(ConstLatents model_output, int index, ConstLatents sample) const;
  void add_differences(const Move& move, std::span<const float> weights, Latents residual) const;
  void correct(ConstLatents converted, int index, Latents sample) const;
  void predict(int index, Latents sample) const;

  UniPcOptions unipc_;
  int order_ = 1;                   // of the last prediction
  std::vector<float> last_sample_;  // where it started; empty before the first
};

// Gaussian elimination with partial pivoting; matrix by rows, of side right_side.size().
std::vector<float> solve(std::vector<float> matrix, std::vector<float> right_side) {
  const std::size_t side = right_side.size();
  const auto at = [&](std::size_t row, std::size_t column) -> float& {
    return matrix[row * side + column];
  };
  for (std::size_t pivot = 0; pivot < side; ++pivot) {
    std::size_t best = pivot;
    for (std::size_t row = pivot + 1; row < side; ++row) {
      if (std::abs(at(row, pivot)) > std::abs(at(best, pivot))) best = row;
    }
    for (std::size_t column = 0; column < side; ++column) {
      std::swap(at(pivot, column), at(best, column));
    }
    std::swap(right_side[pivot], right_side[best]);
    for (std::size_t row = pivot + 1; row < side; ++row) {
      const float factor = at(row, pivot) / at(pivot, pivot);
      for (std::size_t column = pivot; column < side; ++column) {
        at(row, column) -= factor * at(pivot, column);
      }
      right_side[row] -= factor * right_side[pivot];
    }
  }
  for (std::size_t row = side; row-- > 0;) {
    for (std::size_t column = row + 1; column < side; ++column) {
      right_side[row] -= at(row, column) * right_side[column];
    }
    right_side[row] /= at(row, row);
  }
  return right_side;
}

float expm1_float(float x) {
  return static_cast<float>(std::expm1(static_cast<double>(x)));
}

Result<void> UniPcMultistepScheduler::set_timesteps(const ScheduleRequest& request) {
  const auto ok = takes_sigmas() ? check_sigmas(request) : check_plain_request(request);
  if (!ok) return ok;
  if (auto tokens = check_image_sequence_length(options().flow, request); !tokens) return tokens;
  const int train_steps = options().noise.num_train_timesteps;
  const int step_count = request.num_inference_steps;
  const bool has_table_end =
      options().sigmas.spacing == SigmaSpacing::Default && !options().use_flow_sigmas;
  auto levels =
      is_plain_flow()
          ? shifted_flow_levels(request)
          : make_levels(solver_timesteps(options().spacing, train_steps, train_steps, step_count),
                        step_count, true);
  if (options().use_flow_sigmas && options().sigmas.spacing == SigmaSpacing::Karras) {
    for (std::size_t i = 0; i < levels.sigmas.size(); ++i) {
      levels.sigmas[i] = levels.sigmas[i] / (levels.sigmas[i] + 1);
      levels.timesteps[i] = levels.sigmas[i] * train_steps;
    }
  }
  double final_sigma = 0;
  if (unipc_.final_sigma == FinalSigma::SigmaMin) {
    final_sigma = has_table_end ? static_cast<double>(table().front()) : levels.sigmas.back();
  }
  take(std::move(levels), final_sigma);
  order_ = 1;
  last_sample_.clear();
  return {};
}

SolverScheduler::Levels UniPcMultistepScheduler::shifted_flow_levels(
    const ScheduleRequest& request) const {
  constexpr double kEpsilon = 1e-6;  // a level of exactly 1 has no logarithm of alpha
  const int train_steps = options().noise.num_train_timesteps;
  auto sigmas = request.sigmas;
  if (sigmas.empty()) {
    sigmas = linspace(1, 1.0 / train_steps, request.num_inference_steps + 1);
    sigmas.pop_back();
  }
  Levels levels;
  levels.sigmas = options().flow.apply(std::move(sigmas), request.image_sequence_length, false);
  if (std::abs(levels.sigmas.front() - 1) < kEpsilon) levels.sigmas.front() -= kEpsilon;
  for (const double sigma : levels.sigmas) levels.timesteps.push_back(sigma * train_steps);
  return levels;
}

void UniPcMultistepScheduler::step(ConstLatents model_output, int index, Latents sample,
                                   TorchGenerator& /*generator*/,
                                   const StepOptions& /*step_options*/) {
  auto converted = convert(model_output, index, sample);
  const bool is_corrected =
      index > 0 && !last_sample_.empty() &&
      std::ranges::find(unipc_.disable_corrector, index - 1) == unipc_.disable_corrector.end();
  if (is_corrected) correct(converted, index, sample);
  remember(std::move(converted));
  order_ = static_cast<int>(outputs().size());
  if (options().lower_order_final) order_ = std::min(order_, call_count() - index);
  last_sample_.assign(sample.begin(), sample.end());
  predict(index, sample);
}

std::vector<float> UniPcMultistepScheduler::convert(ConstLatents model_output, int index,
                                                    ConstLatents sample) const {
  if (!unipc_.predict_x0) return epsilon_at(model_output, index, sample);
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  return original;
}

UniPcMultistepScheduler::Move UniPcMultistepScheduler::move_between(int from_index, int to_index,
                                                                    int order) const {
  const auto from = level_at(from_index);
  const auto to = level_at(to_index);
  const float h = lambda_at(to_index) - lambda_at(from_index);
  const float hh = unipc_.predict_x0 ? -h : h;
  const float h_phi_1 = expm1_float(hh);
  const float b_h = unipc_.solver_type == SolverType::Bh1 ? hh : h_phi_1;
  const float scale = unipc_.predict_x0 ? to.alpha : to.sigma;
  Move move{.sample = unipc_.predict_x0 ? to.sigma / from.sigma : to.alpha / from.alpha,
            .output = -(scale * h_phi_1),
            .residual = -(scale * b_h),
            .ratios = {},
            .matrix = {},
            .right_side = {}};
  for (int i = 1; i < order; ++i) {
    move.ratios.push_back((lambda_at(from_index - i) - lambda_at(from_index)) / h);
  }
  move.ratios.push_back(1.0F);
  float h_phi_k = h_phi_1 / hh - 1.0F;
  double factorial = 1;
  for (int i = 1; i <= order; ++i) {
    for (const float ratio : move.ratios) {
      move.matrix.push_back(static_cast<float>(std::pow(static_cast<double>(ratio), i - 1)));
    }
    move.right_side.push_back(h_phi_k * static_cast<float>(factorial) / b_h);
    factorial *= i + 1;
    h_phi_k = h_phi_k / hh - static_cast<float>(1.0 / factorial);
  }
  return move;
}

// residual += weights[k] * (older output k - newest) / ratio k.
void UniPcMultistepScheduler::add_differences(const Move& move, std::span<const float> weights,
                                              Latents residual) const {
  for (std::size_t k = 0; k < weights.size(); ++k) {
    for (std::size_t i = 0; i < residual.size(); ++i) {
      residual[i] += weights[k] * ((outputs()[k + 1][i] - outputs()[0][i]) / move.ratios[k]);
    }
  }
}

// Makes the step to this call again, now that the output here is known. outputs() are those before.
void UniPcMultistepScheduler::correct(ConstLatents converted, int index, Latents sample) const {
  const auto move = move_between(index - 1, index, order_);
  const auto weights = order_ == 1 ? std::vector<float>{0.5F} : solve(move.matrix, move.right_side);
  std::vector<float> residual(sample.size(), 0.0F);
  add_differences(move, std::span(weights).first(weights.size() - 1), residual);
  const auto& newest = outputs()[0];
  for (std::size_t i = 0; i < sample.size(); ++i) {
    const float correction = residual[i] + weights.back() * (converted[i] - newest[i]);
    sample[i] =
        move.sample * last_sample_[i] + move.output * newest[i] + move.residual * correction;
  }
}

void UniPcMultistepScheduler::predict(int index, Latents sample) const {
  const auto move = move_between(index, index + 1, order_);
  std::vector<float> weights;
  if (order_ == 2) weights = {0.5F};
  if (order_ > 2) {
    // The system without its last row and column.
    const auto side = static_cast<std::size_t>(order_);
    std::vector<float> matrix;
    for (std::size_t row = 0; row + 1 < side; ++row) {
      const auto start = move.matrix.begin() + static_cast<std::ptrdiff_t>(row * side);
      matrix.insert(matrix.end(), start, start + order_ - 1);
    }
    weights = solve(std::move(matrix), {move.right_side.begin(), move.right_side.end() - 1});
  }
  std::vector<float> residual(sample.size(), 0.0F);
  add_differences(move, weights, residual);
  const auto& newest = outputs()[0];
  for (std::size_t i = 0; i < sample.size(); ++i) {
    sample[i] = move.sample * sample[i] + move.output * newest[i];
    if (!weights.empty()) sample[i] += move.residual * residual[i];
  }
}

}  // namespace

SchedulerResult make_unipc_multistep(OptionReader& options) {
  using enum SolverType;
  constexpr Choice<SolverType> kSolverTypes[] = {{"bh1", Bh1}, {"bh2", Bh2}};
  UniPcOptions out;
  out.solver = read_solver_options(options, {.has_floor = true}, kSolverOrderMax, true);
  out.solver.spacing = read_spacing(options, TimestepSpacing::Linspace);
  read_shift_terminal(options, out.solver.flow);
  out.solver_type = options.choice("solver_type", Bh2, kSolverTypes);
  out.final_sigma = read_final_sigma(options);
  out.predict_x0 = options.flag("predict_x0", true);
  out.disable_corrector = options.integers("disable_corrector");
  options.must_be_null("solver_p");
  if (out.solver.flow.shift_terminal && !out.solver.use_flow_sigmas) {
    options.refuse("shift_terminal", "null where use_flow_sigmas is false");
  }
  if (!out.predict_x0 && out.solver.prediction_type == PredictionType::FlowPrediction) {
    options.refuse("prediction_type", "epsilon, v_prediction or sample where predict_x0 is false");
  }
  return finish_making<UniPcMultistepScheduler>(options, std::move(out));
}

}  // namespace limner::schedulers
