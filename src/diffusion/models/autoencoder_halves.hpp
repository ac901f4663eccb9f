// The two networks of an autoencoder, compiled apart: a request for text to image needs but one.
#pragma once

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include "diffusion/models/component.hpp"
#include "runtime/tensor.hpp"

namespace limner::models {

// The half of the file that one network reads, without a warning for the other's tensors.
Component half_of(Component component, std::string_view name, std::vector<std::string> other_half);

// Runs a network of one row over rows of [C, h, w], one after the other.
using WriteRow = std::function<nn::Value(const nn::Value& x, const nn::WeightScope& w)>;
Result<runtime::Tensor> run_row_by_row(CompiledShapes& shapes, std::span<const float> data,
                                       const nn::Shape& row_shape, const WriteRow& write);

}  // namespace limner::models
