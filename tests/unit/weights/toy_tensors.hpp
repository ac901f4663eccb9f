// Small tensors for tests.
#pragma once

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "weights/safetensors.hpp"

namespace limner::weights {

inline TensorView tensor_of(Shape shape, const std::vector<float>& values) {
  auto bytes = std::make_shared<std::vector<std::uint8_t>>(values.size() * sizeof(float));
  if (!values.empty()) std::memcpy(bytes->data(), values.data(), bytes->size());
  return {.dtype = DType::F32, .shape = std::move(shape), .bytes = *bytes, .owner = bytes};
}

inline TensorView zeros(Shape shape) {
  const std::size_t count = element_count(shape);
  return tensor_of(std::move(shape), std::vector<float>(count));
}

}  // namespace limner::weights
