#include "diffusion/models/autoencoder.hpp"

#include <utility>

#include "diffusion/models/autoencoder_kl.hpp"
#include "diffusion/models/autoencoder_tiny.hpp"

namespace limner::models {

Result<std::unique_ptr<Autoencoder>> load_autoencoder(runtime::Runtime& runtime,
                                                      const Component& component,
                                                      const NetworkOptions& options) {
  const auto* kind = component.config.if_contains("_class_name");
  if (kind && *kind == "AutoencoderTiny") {
    return AutoencoderTiny::load(runtime, component, options);
  }
  auto vae = AutoencoderKL::load(runtime, component, options);
  if (!vae) return vae.error();
  return std::unique_ptr<Autoencoder>(std::make_unique<AutoencoderKL>(*std::move(vae)));
}

}  // namespace limner::models
