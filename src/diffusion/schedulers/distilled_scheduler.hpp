// What the few-step schedulers of distilled models share (LCM, TCD): timesteps picked from those
// that the model was distilled on.
#pragma once

#include "diffusion/schedulers/alpha_scheduler.hpp"

namespace limner::schedulers {

struct DistilledOptions {
  AlphaOptions common;
  int original_inference_steps = 50;
  double timestep_scaling = 10.0;
};

DistilledOptions read_distilled_options(OptionReader& options);

class DistilledScheduler : public AlphaScheduler {
 public:
  Result<void> set_timesteps(const ScheduleRequest& request) override;

 protected:
  explicit DistilledScheduler(const DistilledOptions& options)
      : AlphaScheduler(options.common),
        original_inference_steps_(options.original_inference_steps) {}

 private:
  int original_inference_steps_;
};

}  // namespace limner::schedulers
