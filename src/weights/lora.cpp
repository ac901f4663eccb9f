#include "weights/lora.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "weights/lora_key.hpp"
#include "weights/lora_names.hpp"
#include "weights/tensor_forms.hpp"

namespace limner::weights {
namespace {

constexpr std::string_view kTucker = "LoCon with a middle matrix";

// The tensors of one module.
struct Module {
  const TensorView* down = nullptr;
  const TensorView* up = nullptr;
  const TensorView* alpha = nullptr;
  std::vector<std::string> names;
  std::optional<std::string> unsupported;
};

using Modules = std::map<std::pair<std::string, std::string>, Module>;  // component, module

// The denoiser of the model, and the encoder that a file's third one is: kohya's scripts count T5
// as the third in FLUX.1, where diffusers calls it text_encoder_2.
const LoraBase* find_base(std::span<const LoraBase> model, std::string_view component) {
  const auto named = [&](std::string_view name) -> const LoraBase* {
    const auto it = std::ranges::find(model, name, &LoraBase::component);
    return it == model.end() ? nullptr : &*it;
  };
  if (component.empty()) return named("unet") ? named("unet") : named("transformer");
  if (const auto* base = named(component)) return base;
  return component == "text_encoder_3" ? named("text_encoder_2") : nullptr;
}

// `unet.lora_alpha` of the header that diffusers writes, 0 where it does not say.
double metadata_alpha(const SafetensorsHeader& file, std::string_view component) {
  const auto it = file.metadata.find("lora_adapter_metadata");
  if (it == file.metadata.end()) return 0;
  const auto value = parse_json(it->second);
  const auto* object = value ? value->if_object() : nullptr;
  const auto* alpha =
      object ? object->if_contains(fmt::format("{}.lora_alpha", component)) : nullptr;
  return alpha && alpha->is_number() ? alpha->to_number<double>() : 0;
}

std::size_t rows_size(const TensorView& tensor) {
  return tensor.shape.empty() ? 0 : static_cast<std::size_t>(tensor.shape[0]);
}

// Elements of a row.
std::size_t row_size(const TensorView& tensor) {
  return rows_size(tensor) == 0 ? 0 : element_count(tensor.shape) / rows_size(tensor);
}

// The part of `up` that adds to the rows of one weight.
std::optional<TensorView> up_part(const TensorView& up, const Placement& placement) {
  const std::int64_t rows = static_cast<std::int64_t>(rows_size(up));
  switch (placement.form) {
    case Placement::Form::Rows:
      if (placement.row_count < 1 || placement.first_row + placement.row_count > rows) {
        return std::nullopt;
      }
      return rows_of(up, placement.first_row, placement.row_count);
    case Placement::Form::HalvesSwapped:
      if (rows % 2 != 0) return std::nullopt;
      return halves_swapped(up);
    case Placement::Form::Whole:
    case Placement::Form::Matrix:
    case Placement::Form::Transposed:
      return up;
  }
  return std::nullopt;
}

// Why `up` · `down` cannot be added to `weight`; empty where it can.
std::string misfit(const TensorView& weight, const TensorView& down, const TensorView& up) {
  const std::size_t rank = rows_size(down);
  if (rank == 0 || row_size(up) != rank || rows_size(up) != rows_size(weight) ||
      row_size(down) != row_size(weight)) {
    return fmt::format("{} and {} do not multiply to the weight's {}", to_string(up.shape),
                       to_string(down.shape), to_string(weight.shape));
  }
  for (const auto* tensor : {&weight, &down, &up}) {
    if (!is_floating(tensor->dtype)) return "is not floating-point";
  }
  return {};
}

Modules collect(const SafetensorsHeader& file, std::vector<LoraLeftover>& leftovers) {
  Modules modules;
  for (const auto& [name, tensor] : file.tensors) {
    if (const auto method = unsupported_lora_method(name)) {
      leftovers.push_back({name, fmt::format("{} is not supported", *method)});
      // Without its middle matrix, what surrounds it would be wrong.
      const std::string stem = name.substr(0, name.find(".lora_mid."));
      if (*method == kTucker) {
        if (const auto key = parse_lora_key(stem + ".lora_down.weight")) {
          modules[{key->component, key->module}].unsupported = std::string(*method);
        }
      }
      continue;
    }
    const auto key = parse_lora_key(name);
    if (!key) {
      leftovers.push_back({name, "is not a LoRA's tensor"});
      continue;
    }
    Module& module = modules[{key->component, key->module}];
    module.names.push_back(name);
    switch (key->part) {
      case LoraPart::Down:
        module.down = &tensor;
        break;
      case LoraPart::Up:
        module.up = &tensor;
        break;
      case LoraPart::Alpha:
        module.alpha = &tensor;
        break;
    }
  }
  return modules;
}

// Adds the module's parts to `deltas`, or says why not.
std::string apply(const Module& module, std::string_view module_name, double default_alpha,
                  const LoraNames& names, WeightSource& weights, Lora::Deltas& deltas) {
  if (module.unsupported) return fmt::format("{} is not supported", *module.unsupported);
  if (!module.down || !module.up) return "lacks its other half";
  const auto placements = names.find(module_name, static_cast<std::int64_t>(rows_size(*module.up)));
  if (placements.empty()) return "the model has no such module";
  const auto rank = static_cast<double>(rows_size(*module.down));
  double alpha = default_alpha > 0 ? default_alpha : rank;
  if (module.alpha && element_count(module.alpha->shape) == 1) {
    alpha = static_cast<double>(to_float32(*module.alpha)[0]);
  }
  if (!std::isfinite(alpha)) return "its alpha is not finite";
  std::vector<std::pair<std::string, LoraDelta>> parts;
  for (const auto& placement : placements) {
    const auto* weight = weights.find(placement.name);
    const auto up = up_part(*module.up, placement);
    if (!weight || !up) return "the model has no such module";
    if (auto why = misfit(*weight, *module.down, *up); !why.empty()) return why;
    parts.emplace_back(placement.name,
                       LoraDelta{*module.down, *up, static_cast<float>(alpha / rank)});
  }
  for (auto& [name, delta] : parts) deltas[name].push_back(std::move(delta));
  return {};
}

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
      add_product(to_float32(delta.up), to_float32(delta.down), rows_size(delta.down),
                  strength * delta.scale, sum);
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

  std::string component_;
  std::shared_ptr<WeightSource> base_;
  std::vector<AppliedLora> loras_;
  TensorMap fused_;
};

}  // namespace

Result<Lora> Lora::open(const std::filesystem::path& path, std::span<const LoraBase> model) {
  auto file = open_safetensors(path);
  if (!file) return file.error();
  return read(*file, path.string(), file_fingerprint(path), model);
}

Result<Lora> Lora::read(const SafetensorsHeader& file, std::string_view where,
                        std::string fingerprint, std::span<const LoraBase> model) {
  Lora lora;
  lora.fingerprint_ = std::move(fingerprint);
  lora.tensors_ = file.tensors;
  lora.files_ = FileWatch(lora.tensors_);
  std::map<std::string, LoraNames, std::less<>> names;
  for (const auto& [key, module] : collect(file, lora.leftovers_)) {
    const auto& [component, module_name] = key;
    const auto* base = find_base(model, component);
    std::string why = fmt::format("the model has no {}", component);
    if (base) {
      const auto it = names.try_emplace(base->component, *base->weights).first;
      why = apply(module, module_name, metadata_alpha(file, base->component), it->second,
                  *base->weights, lora.deltas_[base->component]);
    }
    if (why.empty()) continue;
    for (const auto& name : module.names) lora.leftovers_.push_back({name, why});
  }
  std::erase_if(lora.deltas_, [](const auto& entry) { return entry.second.empty(); });
  if (!lora.deltas_.empty()) return lora;
  const std::string first =
      lora.leftovers_.empty()
          ? "it is empty"
          : fmt::format("{}: {}", lora.leftovers_.front().name, lora.leftovers_.front().reason);
  return Error{.kind = ErrorKind::InvalidArgument,
               .message = fmt::format("{}: nothing in this LoRA fits the model; {}", where, first),
               .code = "invalid_lora"};
}

const Lora::Deltas* Lora::find(std::string_view component) const {
  const auto it = deltas_.find(component);
  return it == deltas_.end() ? nullptr : &it->second;
}

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
