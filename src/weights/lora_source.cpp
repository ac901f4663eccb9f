// A network's weights with LoRAs added.
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "weights/lora.hpp"

namespace limner::weights {
namespace {

// Weights with additions, computed when asked for.
class LoraWeightSource final : public WeightSource {
 public:
  LoraWeightSource(std::string component, std::shared_ptr<WeightSource> base,
                   std::vector<AppliedLora> loras)
      : component_(std::move(component)), base_(std::move(base)), loras_(std::move(loras)) {}

  const TensorView* find(std::string_view name) override {
    if (const auto it = fused_.find(name); it != fused_.end()) return &it->second;
    const auto* weight = base_->find(name);
    if (!weight || !is_touched(name)) return weight;
    return &fused_.emplace(std::string(name), fuse(*weight, name)).first->second;
  }

  std::vector<std::string> names() const override { return base_->names(); }
  std::size_t size_bytes() const override { return base_->size_bytes(); }
  Result<void> check_files() const override {
    for (const auto& applied : loras_) {
      if (auto checked = applied.lora->check_files(); !checked) return checked;
    }
    return base_->check_files();
  }

  std::string fingerprint() const override {
    std::string text = base_->fingerprint();
    for (const auto& applied : loras_) {
      text += fmt::format(" + {} * {}", applied.strength, applied.lora->fingerprint());
    }
    return text;
  }

 private:
  template <typename Visit>
  void for_each_delta(std::string_view name, Visit visit) const {
    for (const auto& applied : loras_) {
      const auto* deltas = applied.lora->find(component_);
      const auto it = deltas ? deltas->find(name) : Lora::Deltas::const_iterator();
      if (!deltas || it == deltas->end()) continue;
      for (const auto& delta : it->second) visit(delta, applied.strength);
    }
  }

  bool is_touched(std::string_view name) const {
    bool touched = false;
    for_each_delta(name, [&](const LoraDelta&, float) { touched = true; });
    return touched;
  }

  TensorView fuse(const TensorView& weight, std::string_view name) const {
    std::vector<float> sum = to_float32(weight);
    for_each_delta(name, [&](const LoraDelta& delta, float strength) {
      const auto rank = static_cast<std::size_t>(delta.down.shape[0]);
      add_product(to_float32(delta.up), to_float32(delta.down), rank, strength * delta.scale, sum);
      if (delta.magnitude) set_lengths(weight.shape, *delta.magnitude, sum);
    });
    auto owner = std::make_shared<const std::vector<float>>(std::move(sum));
    const std::span<const std::uint8_t> bytes(reinterpret_cast<const std::uint8_t*>(owner->data()),
                                              owner->size() * sizeof(float));
    return {.dtype = DType::F32, .shape = weight.shape, .bytes = bytes, .owner = owner};
  }

  // sum [rows, columns] += scale · up [rows, rank] · down [rank, columns]; whole rows at a time, so
  // that the inner loop is one the compiler vectorises.
  static void add_product(const std::vector<float>& up, const std::vector<float>& down,
                          std::size_t rank, float scale, std::vector<float>& sum) {
    const std::size_t columns = down.size() / rank;
    const std::size_t rows = up.size() / rank;
    for (std::size_t row = 0; row < rows; ++row) {
      float* out = sum.data() + row * columns;
      for (std::size_t r = 0; r < rank; ++r) {
        const float factor = scale * up[row * rank + r];
        const float* in = down.data() + r * columns;
        for (std::size_t c = 0; c < columns; ++c) out[c] += factor * in[c];
      }
    }
  }

  // Each row, or each column with its kernel, as long as its magnitude says; one of zeros stays.
  static void set_lengths(const Shape& shape, const LoraMagnitude& magnitude,
                          std::vector<float>& sum) {
    const std::size_t count = magnitude.lengths.size();
    const bool is_rows = magnitude.axis == LoraMagnitude::Axis::Rows;
    const std::size_t run =
        is_rows ? sum.size() / count : sum.size() / static_cast<std::size_t>(shape[0]) / count;
    const auto place = [&](std::size_t i) { return i / run % count; };
    std::vector<double> squares(count);
    for (std::size_t i = 0; i < sum.size(); ++i) {
      squares[place(i)] += static_cast<double>(sum[i]) * static_cast<double>(sum[i]);
    }
    std::vector<float> factors(count);
    for (std::size_t i = 0; i < count; ++i) {
      const double length = std::sqrt(squares[i]);
      factors[i] =
          length > 0 ? static_cast<float>(static_cast<double>(magnitude.lengths[i]) / length) : 0;
    }
    for (std::size_t i = 0; i < sum.size(); ++i) sum[i] *= factors[place(i)];
  }

  std::string component_;
  std::shared_ptr<WeightSource> base_;
  std::vector<AppliedLora> loras_;
  TensorMap fused_;
};

}  // namespace

std::shared_ptr<WeightSource> with_loras(std::string_view component,
                                         std::shared_ptr<WeightSource> base,
                                         std::vector<AppliedLora> loras) {
  std::erase_if(loras, [&](const AppliedLora& applied) {
    return applied.strength == 0 || !applied.lora->find(component);
  });
  if (loras.empty()) return base;
  return std::make_shared<LoraWeightSource>(std::string(component), std::move(base),
                                            std::move(loras));
}

}  // namespace limner::weights
