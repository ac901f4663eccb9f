// Where the tensors of a single-file checkpoint go: from the names that the original code gave them
// (LDM, OpenCLIP, SGM, MMDiT, Black Forest Labs) to those of diffusers and transformers modules.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "weights/safetensors.hpp"

namespace limner::weights {

// One tensor under its new name, and what is done to it on the way.
struct Placement {
  enum class Form : std::uint8_t {
    Whole,
    Rows,    // `row_count` of them from `first_row` on: one of several matrices stacked
    Matrix,  // a 1x1 convolution as the matrix it is
    Transposed,
    HalvesSwapped,  // shift and scale are stacked the other way round in diffusers
  };

  std::string name;
  Form form = Form::Whole;
  std::int64_t first_row = 0;
  std::int64_t row_count = 0;
};

// Of a tensor without the prefix of its network. None: known, and not needed. Empty optional: not
// known.
using Placements = std::optional<std::vector<Placement>>;
using PlaceTensor = std::function<Placements(std::string_view name, const TensorView& tensor)>;

// Tensors of one network in a file, without its prefix.
struct NetworkTensors {
  std::string prefix;
  TensorMap tensors;

  static NetworkTensors below(const TensorMap& file, std::string_view prefix);
  bool has(std::string_view name) const { return tensors.contains(name); }
  // How many of `stem`0., `stem`1., … there are.
  std::size_t count(std::string_view stem) const;
};

// All tensors under their new names; those not known are added to `unknown` under their full
// names. An error where a tensor has not the shape that its place asks for.
Result<TensorMap> place_all(const NetworkTensors& network, const PlaceTensor& place,
                            std::vector<std::string>& unknown);

PlaceTensor ldm_unet_names(const NetworkTensors& network);
PlaceTensor ldm_vae_names(const NetworkTensors& network);
// A CLIP text model under transformers' own names, older ones too.
PlaceTensor clip_names(bool has_projection);
// OpenCLIP's text tower. `leaves_out_last` is for Stable Diffusion 2, which never runs block 23.
PlaceTensor open_clip_names(bool has_projection, bool leaves_out_last);
PlaceTensor t5_names(const NetworkTensors& network);
PlaceTensor sd3_names(const NetworkTensors& network);
PlaceTensor flux_names(const NetworkTensors& network);

// Takes `prefix` off the front of `text`; false where it is not there.
bool take_prefix(std::string_view& text, std::string_view prefix);
// Takes `12.` off the front.
std::optional<std::size_t> take_index(std::string_view& text);

}  // namespace limner::weights
