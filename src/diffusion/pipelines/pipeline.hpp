// One family of models. Keeps no request state between calls; all that varies is in the
// DenoiseState of each request. The const methods may be called on any thread at any time (I/O
// threads check and estimate requests while the engine paints); the others belong to the engine
// thread.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "base/result.hpp"
#include "core/generation.hpp"

namespace limner::pipelines {

// Only what tensors force to be equal within one network call.
struct BatchKey {
  int latent_height = 0;
  int latent_width = 0;
  int sequence_length = 0;    // of the prompt embeds
  std::string adapters = {};  // name and scale of each, sorted
  friend auto operator<=>(const BatchKey&, const BatchKey&) = default;
};

struct BatchShape {
  BatchKey key;
  int rows = 1;  // that one step of this request takes: images, twice under guidance
};

enum class DecodeQuality { Full, Preview };

// One request on its way. Families derive from it; the engine sees only this.
class DenoiseState {
 public:
  virtual ~DenoiseState() = default;
  virtual int step_index() const = 0;  // network calls done
  virtual int step_count() const = 0;  // network calls in all
  bool is_finished() const { return step_index() >= step_count(); }
  virtual const EffectiveParams& effective() const = 0;
};

class Pipeline {
 public:
  virtual ~Pipeline() = default;
  virtual const ModelTraits& traits() const = 0;
  // What one step of the request would need; pure.
  virtual BatchShape batch_shape(const GenerationRequest& request) const = 0;
  // Rows of this shape that one call should carry at most: more gains nothing on this machine.
  virtual int rows_max(const BatchKey& key) const = 0;
  // Everything that can be refused before work begins: prompt length, size, task, scheduler.
  // Cheap (tokenizers only) and thread-safe: called on I/O threads. Fills what it resolved.
  virtual Result<EffectiveParams> check(const GenerationRequest& request) const = 0;
  // Prompt embeds, timesteps, first latents. No steps left (image to image at strength 0) is fine.
  virtual Result<std::unique_ptr<DenoiseState>> prepare(const GenerationRequest& request) = 0;
  // One network call for all, then one scheduler step each; entry i answers states[i]. States of
  // one BatchKey; more rows than rows_max only for a single state, which is split inside. A failed
  // entry's state has not moved: when the call itself fails, all fail and each is tried alone.
  virtual std::vector<Result<void>> step(std::span<DenoiseState* const> states) = 0;
  // Pictures of the request, in order of index. Preview decodes the predicted clean latents.
  virtual Result<std::vector<Image>> decode(DenoiseState& state, DecodeQuality quality) = 0;
};

}  // namespace limner::pipelines
