// TCDScheduler, arXiv:2402.19159: a jump along the trajectory to timestep s, short of the next by
// gamma (diffusers' eta), then noise from there to the next.
#include <cmath>
#include <vector>

#include "base/check.hpp"
#include "diffusion/schedulers/distilled_scheduler.hpp"
#include "diffusion/schedulers/makers.hpp"

namespace limner::schedulers {
namespace {

class TcdScheduler final : public DistilledScheduler {
 public:
  explicit TcdScheduler(const DistilledOptions& options) : DistilledScheduler(options) {}

  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;
};

void TcdScheduler::step(ConstLatents model_output, int index, Latents sample,
                        TorchGenerator& generator, const StepOptions& step_options) {
  LIMNER_CHECK(step_options.eta >= 0 && step_options.eta <= 1, "gamma is a share");
  const bool is_last = index + 1 == call_count();
  const int next = is_last ? 0 : timestep_at(index + 1);
  const auto share = static_cast<float>(1 - step_options.eta);
  const int target = static_cast<int>(std::floor(share * static_cast<float>(next)));
  const auto level = level_at(timestep_at(index));
  std::vector<float> original(sample.size());
  original_from(options().prediction_type, level, model_output, sample, original);
  std::vector<float> epsilon(sample.size());
  epsilon_from(options().prediction_type, level, model_output, sample, epsilon);
  mix(level_at(target), original, epsilon, sample);
  if (step_options.eta <= 0 || is_last) return;
  const float ratio = alpha_at(next) / alpha_at(target);
  std::vector<float> noise(sample.size());
  generator.randn(noise);
  mix(level_of(ratio), sample, noise, sample);
}

}  // namespace

SchedulerResult make_tcd(OptionReader& options) {
  return finish_making<TcdScheduler>(options, read_distilled_options(options));
}

}  // namespace limner::schedulers
