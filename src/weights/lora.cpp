#include "weights/lora.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <utility>

#include <fmt/format.h>

#include "base/json.hpp"
#include "weights/finite.hpp"
#include "weights/lora_key.hpp"
#include "weights/lora_names.hpp"
#include "weights/lora_settings.hpp"
#include "weights/tensor_forms.hpp"

namespace limner::weights {
namespace {

// The tensors of one module.
struct Module {
  const TensorView* down = nullptr;
  const TensorView* up = nullptr;
  const TensorView* alpha = nullptr;
  const TensorView* magnitude = nullptr;
  bool is_magnitude_of_rows = false;
  std::vector<std::string> names;
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

std::size_t rows_size(const TensorView& tensor) {
  return tensor.shape.empty() ? 0 : static_cast<std::size_t>(tensor.shape[0]);
}

// Elements of a row.
std::size_t row_size(const TensorView& tensor) {
  return rows_size(tensor) == 0 ? 0 : element_count(tensor.shape) / rows_size(tensor);
}

// The rows of `up`, or of as high a tensor, that are for one weight.
std::optional<TensorView> rows_for(const Placement& placement, const TensorView& up) {
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
  if (!is_weight(weight) || !is_floating(down.dtype) || !is_floating(up.dtype)) {
    return "is not floating-point";
  }
  return {};
}

Modules collect(const SafetensorsHeader& file, std::vector<LoraLeftover>& leftovers) {
  Modules modules;
  for (const auto& [name, tensor] : file.tensors) {
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
      case LoraPart::RowMagnitude:
      case LoraPart::Magnitude:
        module.magnitude = &tensor;
        module.is_magnitude_of_rows = key->part == LoraPart::RowMagnitude;
        break;
    }
  }
  return modules;
}

// DoRA's magnitudes for one weight, or nothing where they fit neither its rows nor its columns.
// PEFT's are of rows. LyCORIS' are of rows in [rows, 1, …], of columns in [1, columns, …].
std::optional<LoraMagnitude> magnitude_for(const Placement& placement, const Module& module,
                                           const TensorView& weight) {
  const TensorView& all = *module.magnitude;
  const std::size_t count = element_count(all.shape);
  const std::size_t rows = rows_size(*module.up);
  if (!is_floating(all.dtype) || all.shape.empty() || count == 0) return std::nullopt;
  if (count == rows && (module.is_magnitude_of_rows || rows_size(all) == rows)) {
    const auto part = rows_for(placement, reshaped(all, {static_cast<std::int64_t>(rows)}));
    if (!part) return std::nullopt;
    return LoraMagnitude{.axis = LoraMagnitude::Axis::Rows, .lengths = to_float32(*part)};
  }
  // A column of several weights on top of each other has no length of its own in either.
  const bool is_whole = rows == rows_size(weight);
  if (module.is_magnitude_of_rows || !is_whole || weight.shape.size() < 2 ||
      count != static_cast<std::size_t>(weight.shape[1]) || rows_size(all) != 1) {
    return std::nullopt;
  }
  return LoraMagnitude{.axis = LoraMagnitude::Axis::Columns, .lengths = to_float32(all)};
}

// The network that a module is of: `module` is its name with underscores.
struct Target {
  const LoraBase& base;
  const LoraNames& names;
  std::string_view module;
};

// Adds the module's parts to `deltas`, or says why not.
std::string apply(const Module& module, const Target& target, const LoraSettings& settings,
                  Lora::Deltas& deltas) {
  if (!module.down || !module.up) return "lacks its other half";
  const auto placements =
      target.names.find(target.module, static_cast<std::int64_t>(rows_size(*module.up)));
  if (placements.empty()) return "the model has no such module";
  std::optional<double> alpha;
  if (module.alpha && element_count(module.alpha->shape) == 1 &&
      module.alpha->dtype != DType::Other) {
    alpha = static_cast<double>(to_float32(*module.alpha)[0]);
  }
  std::vector<std::pair<std::string, LoraDelta>> parts;
  for (const auto& placement : placements) {
    const auto* weight = target.base.weights->find(placement.name);
    const auto up = rows_for(placement, *module.up);
    if (!weight || !up) return "the model has no such module";
    if (auto why = misfit(*weight, *module.down, *up); !why.empty()) return why;
    std::string_view name = placement.name;
    name.remove_suffix(std::string_view(".weight").size());
    const double scale = settings.scale(target.base.component, name,
                                        static_cast<double>(rows_size(*module.down)), alpha);
    if (!std::isfinite(scale)) return "its alpha is not finite";
    LoraDelta delta{.down = *module.down, .up = *up, .scale = static_cast<float>(scale)};
    if (module.magnitude) {
      delta.magnitude = magnitude_for(placement, module, *weight);
      if (!delta.magnitude) {
        return fmt::format("DoRA's magnitudes {} fit neither rows nor columns of {}",
                           to_string(module.magnitude->shape), to_string(weight->shape));
      }
    }
    parts.emplace_back(placement.name, std::move(delta));
  }
  for (auto& [name, delta] : parts) deltas[name].push_back(std::move(delta));
  return {};
}

Error refused(std::string_view where, std::string_view why) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = fmt::format("{}: {}", where, why),
          .code = "invalid_lora"};
}

// A file with a number that nothing can be calculated with would spoil the weight it is added to.
Result<void> check_numbers(const SafetensorsHeader& file, std::string_view where) {
  for (const auto& [name, tensor] : file.tensors) {
    if (const auto index = find_unusable(tensor)) {
      return refused(where,
                     fmt::format("the tensor {:.128} holds numbers that are not finite or too "
                                 "large to calculate with, the first at {}",
                                 name, *index));
    }
  }
  return {};
}

// PEFT's adapter_config.json is of adapter_model.safetensors beside it, or of the one file there.
std::optional<std::filesystem::path> adapter_config_of(const std::filesystem::path& path) {
  const auto dir = path.parent_path();
  auto config = dir / "adapter_config.json";
  std::error_code failed;
  if (!std::filesystem::is_regular_file(config, failed)) return std::nullopt;
  if (path.stem() == "adapter_model") return config;
  std::filesystem::directory_iterator entries(dir, failed);
  for (; !failed && entries != std::filesystem::directory_iterator(); entries.increment(failed)) {
    if (is_safetensors_name(entries->path()) && entries->path().filename() != path.filename()) {
      return std::nullopt;
    }
  }
  return config;
}

}  // namespace

Result<LoraFile> open_lora_file(const std::filesystem::path& path) {
  auto tensors = open_safetensors(path);
  if (!tensors) return tensors.error();
  LoraFile file{.tensors = *std::move(tensors), .fingerprint = file_fingerprint(path)};
  const auto config = adapter_config_of(path);
  if (!config) return file;
  auto value = read_json_file(*config);
  if (!value) return value.error();
  if (!value->is_object()) return refused(config->string(), "is not a JSON object");
  file.adapter_config = std::move(value->get_object());
  file.fingerprint += " " + file_fingerprint(*config);
  return file;
}

Result<Lora> Lora::read(const LoraFile& file, std::string_view where,
                        std::span<const LoraBase> model) {
  // What is left of such a file would be another picture than its author's.
  for (const auto& [name, tensor] : file.tensors.tensors) {
    if (const auto method = unsupported_lora_method(name)) {
      return refused(where, fmt::format("{} is not supported; it is what {} holds", *method, name));
    }
  }
  if (auto ok = check_numbers(file.tensors, where); !ok) return ok.error();
  const auto settings = LoraSettings::read(file.tensors, file.adapter_config);
  if (!settings) return refused(where, settings.error().message);
  Lora lora;
  lora.fingerprint_ = file.fingerprint;
  lora.tensors_ = file.tensors.tensors;
  lora.files_ = FileWatch(lora.tensors_);
  std::map<std::string, LoraNames, std::less<>> names;
  for (const auto& [key, module] : collect(file.tensors, lora.leftovers_)) {
    const auto& [component, module_name] = key;
    const auto* base = find_base(model, component);
    std::string why = fmt::format("the model has no {}", component);
    if (base) {
      const auto it = names.try_emplace(base->component, *base->weights).first;
      why =
          apply(module, {*base, it->second, module_name}, *settings, lora.deltas_[base->component]);
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
  return refused(where, fmt::format("nothing in this LoRA fits the model; {}", first));
}

const Lora::Deltas* Lora::find(std::string_view component) const {
  const auto it = deltas_.find(component);
  return it == deltas_.end() ? nullptr : &it->second;
}

}  // namespace limner::weights
