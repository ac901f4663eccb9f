// Previews for almost nothing: a linear map from a latent pixel and its neighbours to the colours
// below it, fitted to the model's own decodes. The map learns from every picture that is decoded
// anyway; the first preview of a model costs one full decode, later ones a few milliseconds.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "core/image.hpp"

namespace limner::pipelines {

struct LatentShape {
  int channels = 0;
  int height = 0;
  int width = 0;
};

class PreviewDecoder {
 public:
  // `scale`: pixels that a latent's side stands for.
  PreviewDecoder(int channels, int scale);

  // Adds a decode: latents [C, h, w] and their pixels [3, H, W] around [-1, 1].
  void learn(std::span<const float> latents, LatentShape shape, std::span<const float> pixels);
  bool is_ready() const { return sample_count_ > 0; }

  // A picture of full size, soft but right in colour and layout. Only when is_ready().
  Image decode(std::span<const float> latents, LatentShape shape);

 private:
  std::size_t feature_count() const;
  std::size_t output_count() const;
  void gather_features(std::span<const float> latents, LatentShape shape, int y, int x,
                       std::span<float> features) const;
  void solve();

  int channels_;
  int scale_;
  int cells_;  // each latent pixel becomes cells x cells colours
  std::size_t sample_count_ = 0;
  // Sums over all samples of features * features and features * outputs, for ridge regression.
  std::vector<double> covariance_;  // [F, F]
  std::vector<double> moments_;     // [F, O]
  std::vector<float> map_;          // [F, O]; empty when new samples have come since it was solved
};

}  // namespace limner::pipelines
