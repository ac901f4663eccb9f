// Numbers on the way in and out of a network.
#pragma once

#include <cstddef>
#include <cstdint>
#include <numeric>
#include <span>
#include <utility>
#include <vector>

#include "base/check.hpp"

namespace limner::runtime {

using Shape = std::vector<std::size_t>;

inline std::size_t element_count(const Shape& shape) {
  return std::accumulate(shape.begin(), shape.end(), std::size_t{1}, std::multiplies<>());
}

// Owns float32 numbers, row-major. Move-only, because a silent copy of activations is a bug.
class Tensor {
 public:
  Tensor() = default;
  explicit Tensor(Shape shape) : shape_(std::move(shape)), data_(element_count(shape_)) {}
  Tensor(Shape shape, std::vector<float> data) : shape_(std::move(shape)), data_(std::move(data)) {
    LIMNER_CHECK(data_.size() == element_count(shape_));
  }
  Tensor(Tensor&&) noexcept = default;
  Tensor& operator=(Tensor&&) noexcept = default;
  Tensor(const Tensor&) = delete;
  Tensor& operator=(const Tensor&) = delete;
  Tensor clone() const { return Tensor(shape_, data_); }

  const Shape& shape() const { return shape_; }
  std::span<float> data() { return data_; }
  std::span<const float> data() const { return data_; }
  // Row i along the first axis.
  std::span<float> row(std::size_t i) { return data().subspan(i * row_size(), row_size()); }
  std::span<const float> row(std::size_t i) const {
    return data().subspan(i * row_size(), row_size());
  }
  std::size_t row_size() const {
    return shape_.empty() || shape_[0] == 0 ? 0 : data_.size() / shape_[0];
  }

 private:
  Shape shape_;
  std::vector<float> data_;
};

}  // namespace limner::runtime
