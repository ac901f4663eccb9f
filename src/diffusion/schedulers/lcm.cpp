// LCMScheduler, arXiv:2310.04378: a jump to the clean latent, then noise up to the next level.
#include <cmath>
#include <vector>

#include "diffusion/schedulers/distilled_scheduler.hpp"
#include "diffusion/schedulers/makers.hpp"

namespace limner::schedulers {
namespace {

class LcmScheduler final : public DistilledScheduler {
 public:
  explicit LcmScheduler(const DistilledOptions& options)
      : DistilledScheduler(options), timestep_scaling_(options.timestep_scaling) {}

  void step(ConstLatents model_output, int index, Latents sample, TorchGenerator& generator,
            const StepOptions& step_options) override;

 private:
  double timestep_scaling_;
};

void LcmScheduler::step(ConstLatents model_output, int index, Latents sample,
                        TorchGenerator& generator, const StepOptions& /*step_options*/) {
  constexpr float kDataVariance = 0.25F;  // sigma_data = 0.5
  const int timestep = timestep_at(index);
  const float scaled = static_cast<float>(timestep) * static_cast<float>(timestep_scaling_);
  const float sum = scaled * scaled + kDataVariance;
  std::vector<float> original(sample.size());
  predict_original(model_output, index, sample, original);
  // The boundary condition: near timestep 0 the sample is the answer.
  mix({.alpha = scaled / std::sqrt(sum), .sigma = kDataVariance / sum}, original, sample, sample);
  if (index + 1 == call_count()) return;
  std::vector<float> noise(sample.size());
  generator.randn(noise);
  mix(level_at(timestep_at(index + 1)), sample, noise, sample);
}

}  // namespace

SchedulerResult make_lcm(OptionReader& options) {
  return finish_making<LcmScheduler>(options, read_distilled_options(options));
}

}  // namespace limner::schedulers
