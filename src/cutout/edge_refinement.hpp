// From a mask of a small copy to alpha at full size: edges follow the picture's own.
#pragma once

#include <cstdint>
#include <memory>

#include "cutout/plane.hpp"

namespace limner::cutout {

// Learns from a small copy what subject and background look like along the edge, then tells the
// alpha of the picture itself row by row: its memory and its first cost do not grow with the
// picture.
class EdgeRefiner {
 public:
  // `mask`: share of subject, 0 to 1, of the picture shrunk or stretched to the mask's size.
  // `small`: the picture or a copy of it, RGB. Where the mask is all subject or all background for
  // `band_px` around, the answer is; between, the picture's colours decide.
  EdgeRefiner(const Image& small, Plane mask, int band_px, ImageSize picture_size);
  EdgeRefiner(EdgeRefiner&&) noexcept;
  EdgeRefiner& operator=(EdgeRefiner&&) noexcept;
  ~EdgeRefiner();

  // Row y of the picture, RGB; one byte a pixel goes to `alpha`.
  void refine_row(int y, const std::uint8_t* rgb, std::uint8_t* alpha);

 private:
  struct Model;
  std::unique_ptr<Model> model_;
};

// All of it at once. One channel of rgb's size.
Image refine_edges(const Image& rgb, Plane mask, int band_px);

}  // namespace limner::cutout
