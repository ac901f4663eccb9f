// Matting by a network that sees a small copy of the picture.
#pragma once

#include <functional>

#include "cutout/classical_matting.hpp"
#include "cutout/plane.hpp"

namespace limner::cutout {

// The share of subject in each pixel of `rgb`, 0 to 1, of the same size.
using EstimateAlpha = std::function<Result<Plane>(const Image& rgb)>;

// The network knows drawings, whose masks are all or nothing but for the edges. Over photographs it
// wavers or finds nothing; this says what is answered then.
enum class WhenUnsure { KeepMask, UseClassical };

// Where the network cannot run, the classical method answers, and the log says why.
class NetworkMatting final : public Matting {
 public:
  // `side_px`: what the network was trained on; every picture is stretched to that square.
  // `estimate` is called from any thread.
  NetworkMatting(EstimateAlpha estimate, int side_px, WhenUnsure when_unsure);

  std::string_view name() const override { return "matting-network"; }
  Result<Image> alpha(const Image& rgb) const override;

 private:
  EstimateAlpha estimate_;
  ImageSize size_;
  WhenUnsure when_unsure_;
  ClassicalMatting fallback_;
};

}  // namespace limner::cutout
