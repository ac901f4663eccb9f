// Times one convolution and one matrix product on a device, in float32 and in bf16. OpenVINO's
// types: for runtime/ only.
#pragma once

#include <string>

#include <openvino/runtime/core.hpp>

#include "base/result.hpp"
#include "runtime/precision_choice.hpp"

namespace limner::runtime {

// `config` is what networks are compiled with, without a precision. Takes a second at most on two
// cores. Error: the device cannot run them.
Result<PrecisionTimes> measure_precisions(ov::Core& core, const std::string& device,
                                          const ov::AnyMap& config, const ProbeSizes& sizes);

}  // namespace limner::runtime
