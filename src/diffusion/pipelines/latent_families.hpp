// What several families of latent diffusion say in the same words.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "diffusion/pipelines/latent_pipeline.hpp"

namespace limner::pipelines {

inline void append(std::vector<float>& to, std::span<const float> from) {
  to.insert(to.end(), from.begin(), from.end());
}

// Parts of the model `name` that do not belong together.
inline Error misfit(const std::string& name, const std::string& what) {
  return {
      .kind = ErrorKind::InvalidArgument, .message = name + ": " + what, .code = "invalid_model"};
}

// Networks for inpainting take the mask and the masked picture's latents beside the sample.
inline bool takes_masked_picture(std::int64_t in_channels, std::int64_t latent_channels) {
  return in_channels == 2 * latent_channels + 1;
}

// encode_text() and, under guidance, encode_negative(text): each gives a Result<Conditioning>.
template <typename EncodeText, typename EncodeNegative>
Result<GuidedConditioning> encode_guided(bool guided, EncodeText encode_text,
                                         EncodeNegative encode_negative) {
  auto text = encode_text();
  if (!text) return text.error();
  GuidedConditioning conditioning{.text = *std::move(text), .uncond = std::nullopt};
  if (!guided) return conditioning;
  auto uncond = encode_negative(conditioning.text);
  if (!uncond) return uncond.error();
  conditioning.uncond = *std::move(uncond);
  return conditioning;
}

}  // namespace limner::pipelines
