// Weights in 8 bits beside scales of their own, as ComfyUI's "fp8 scaled" files and its int8 ones
// have them: `x.weight`, and `x.scale_weight` (older, with a marker `scaled_fp8`) or
// `x.weight_scale` (newer, with `x.comfy_quant` or _quantization_metadata in the header).
#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.hpp"
#include "weights/safetensors.hpp"

namespace limner::weights {

// Gives each such weight its scales, one for all or one for each row, and takes their tensors and
// marks out of the file. An error names a tensor that is quantised in a way that is not read
// (blocks, 4 bits, rotated, code books): by value it would paint noise. `where` names the file.
Result<void> attach_scales(SafetensorsHeader& file, std::string_view where);

}  // namespace limner::weights
