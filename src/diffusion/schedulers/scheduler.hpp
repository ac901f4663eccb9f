// The denoising rule of one image. Arithmetic on spans only: no models, no threads. A scheduler
// holds the history of one trajectory, so each image of each request owns one.
#pragma once

#include <span>
#include <vector>

#include "base/result.hpp"
#include "diffusion/schedulers/torch_generator.hpp"

namespace limner::schedulers {

// What a schedule may depend on besides the configuration.
struct ScheduleRequest {
  int num_inference_steps = 0;
  // FLUX and SD3 with use_dynamic_shifting: h/2 * w/2 tokens of the latent; 0 when unused.
  int image_sequence_length = 0;
  // Explicit sigmas of a pipeline (FLUX), one per step; empty: the scheduler's own. Only for
  // schedulers whose takes_sigmas() is true.
  std::vector<double> sigmas = {};
  // The latent consistency pipelines alone hand their image-to-image strength to the schedule;
  // the others begin further along timesteps() and leave this at 1.
  double strength = 1.0;
};

struct StepOptions {
  double eta = 0.0;  // from 0 to 1: DDIM's eta, TCD's gamma
};

class Scheduler {
 public:
  virtual ~Scheduler() = default;

  // Starts a trajectory and forgets the one before. Errors: a step count, sigmas or a strength
  // that the scheduler cannot take.
  virtual Result<void> set_timesteps(const ScheduleRequest& request) = 0;
  // One per network call (heun and pndm make more calls than steps), as the network wants them:
  // may be fractional.
  virtual std::span<const float> timesteps() const = 0;
  // The noise level at each call and after the last; empty for schedulers without (DDIM, …).
  virtual std::span<const float> sigmas() const { return {}; }
  // What the pipeline multiplies first noise by.
  virtual float init_noise_sigma() const = 0;
  virtual bool takes_sigmas() const { return false; }

  // sample → the network's input at timesteps()[index]; both of one size.
  virtual void scale_model_input(std::span<const float> sample, int index,
                                 std::span<float> scaled) = 0;
  // One call's arithmetic, at rising indices without gaps; image to image begins past 0, at a
  // multiple of order(). sample x_t becomes x_{t-1} in place. model_output is already guided.
  // Draws from `generator` exactly when diffusers does, with the image's own shape.
  virtual void step(std::span<const float> model_output, int index, std::span<float> sample,
                    TorchGenerator& generator, const StepOptions& options) = 0;
  // The clean latent that model_output at this call predicts, for previews. Call before step().
  virtual void predict_original(std::span<const float> model_output, int index,
                                std::span<const float> sample, std::span<float> original) const = 0;
  // Image to image and inpainting: original + noise at timesteps()[index].
  virtual void add_noise(std::span<const float> original, std::span<const float> noise, int index,
                         std::span<float> noisy) const = 0;
  // Network calls that make one step, in diffusers' `order`: 2 for heun, else 1.
  virtual int order() const { return 1; }
};

}  // namespace limner::schedulers
