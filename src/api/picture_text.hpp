// How a picture was made, as it is written into its file.
#pragma once

#include <string>

#include "codec/metadata.hpp"
#include "core/generation.hpp"

namespace limner::api {

// `parameters` in the form that stable-diffusion-webui writes and its relatives read, and the same
// as JSON with the names of this API.
codec::Metadata picture_text(const GenerationRequest& request, const EffectiveParams& effective,
                             std::uint64_t seed);

}  // namespace limner::api
