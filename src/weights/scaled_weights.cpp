#include "weights/scaled_weights.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/json.hpp"

namespace limner::weights {
namespace {

constexpr std::string_view kMark = ".comfy_quant";
constexpr std::string_view kOldMark = "scaled_fp8";
constexpr std::string_view kHeaderMarks = "_quantization_metadata";

constexpr std::array<std::string_view, 2> kWeightScales = {".scale_weight", ".weight_scale"};
// Of a layer's inputs, for products in 8 bits; these are computed in floats.
constexpr std::array<std::string_view, 2> kInputScales = {".scale_input", ".input_scale"};

constexpr std::array<std::string_view, 3> kFormats = {"float8_e4m3fn", "float8_e5m2",
                                                      "int8_tensorwise"};
// Members of a layer's description that do not change its numbers.
constexpr std::array<std::string_view, 3> kHarmless = {"format", "full_precision_matrix_mult",
                                                       "per_row"};

struct Method {
  std::string_view ending;
  std::string_view name;
};
constexpr std::array<Method, 14> kMethods = {{
    {".weight_scale_2", "NVFP4"},
    {".weight_scale_inv", "blocks of 8-bit floats"},
    {".weight_codebook", "a code book"},
    {".weight_s_rel", "a code book"},
    {".absmax", "bitsandbytes"},
    {".quant_map", "bitsandbytes"},
    {".SCB", "bitsandbytes"},
    {".qweight", "GPTQ or AWQ"},
    {".qzeros", "GPTQ or AWQ"},
    {".wscales", "Nunchaku"},
    {".weight_packed", "compressed-tensors"},
    {".weight_zero_point", "compressed-tensors"},
    {".weight_shape", "compressed-tensors"},
    {".weight_format", "SDNQ"},
}};

template <std::size_t N>
std::optional<std::string_view> stem_of(std::string_view name,
                                        const std::array<std::string_view, N>& endings) {
  for (const auto ending : endings) {
    if (name.ends_with(ending)) return name.substr(0, name.size() - ending.size());
  }
  return std::nullopt;
}

bool is_old_mark(std::string_view name) {
  return name == kOldMark || name.ends_with(std::string(".") + std::string(kOldMark));
}

Error refused(std::string_view where, std::string_view layer, std::string_view how) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = fmt::format("{}: {} is quantised as {}, which is not read; use the file with "
                                 "16-bit weights, or with 8-bit floats and a scale for each layer",
                                 where, layer, how),
          .code = "invalid_weights"};
}

// A layer's description: {"format": "float8_e4m3fn"}.
Result<void> check_description(std::string_view where, std::string_view layer,
                               const json::value& value) {
  const auto* object = value.if_object();
  const auto* format = object ? object->if_contains("format") : nullptr;
  bool is_read =
      format && format->is_string() &&
      std::ranges::find(kFormats, std::string_view(format->get_string())) != kFormats.end();
  for (const auto& [key, member] : object ? *object : json::object()) {
    const bool is_off = member.is_null() || (member.is_bool() && !member.get_bool());
    is_read = is_read &&
              (is_off || std::ranges::find(kHarmless, std::string_view(key)) != kHarmless.end());
  }
  if (is_read) return {};
  return refused(where, layer, json::serialize(value).substr(0, 120));
}

Result<void> check_mark(std::string_view where, std::string_view layer, const TensorView& mark) {
  std::string_view text(reinterpret_cast<const char*>(mark.bytes.data()), mark.bytes.size());
  text = text.substr(0, text.find('\0'));
  const auto value = parse_json(text);
  if (!value) return refused(where, layer, "something that its mark does not say in JSON");
  return check_description(where, layer, *value);
}

Result<void> check_header(std::string_view where, const SafetensorsHeader& file) {
  const auto marks = file.metadata.find(kHeaderMarks);
  if (marks == file.metadata.end()) return {};
  const auto value = parse_json(marks->second, {.depth_max = 8, .values_max = 1'000'000});
  const auto* object = value ? value->if_object() : nullptr;
  const auto* layers = object ? object->if_contains("layers") : nullptr;
  if (!layers || !layers->is_object()) {
    return refused(where, kHeaderMarks, "something that its header does not say in JSON");
  }
  for (const auto& [layer, description] : layers->get_object()) {
    if (auto checked = check_description(where, layer, description); !checked) return checked;
  }
  return {};
}

// What is wrong with `scale` as the scales of `weight`; empty where nothing is.
std::string attach(TensorView& weight, const TensorView& scale) {
  const bool is_narrow =
      weight.dtype == DType::F8E4M3 || weight.dtype == DType::F8E5M2 || weight.dtype == DType::I8;
  const std::size_t count = element_count(scale.shape);
  const std::size_t rows = weight.shape.empty() ? 0 : static_cast<std::size_t>(weight.shape[0]);
  const bool is_by_row =
      count == rows && !scale.shape.empty() && static_cast<std::size_t>(scale.shape[0]) == rows;
  if (!is_narrow || !is_floating(scale.dtype) || (count != 1 && !is_by_row)) {
    return fmt::format("{} {} with scales {} {}", dtype_name(weight), to_string(weight.shape),
                       dtype_name(scale), to_string(scale.shape));
  }
  weight.scales = to_float32(scale);
  const bool is_finite =
      std::ranges::all_of(weight.scales, [](float value) { return std::isfinite(value); });
  return is_finite ? "" : "8 bits with a scale that is not finite";
}

}  // namespace

Result<void> attach_scales(SafetensorsHeader& file, std::string_view where) {
  if (auto checked = check_header(where, file); !checked) return checked;
  std::vector<std::string> spent;
  for (const auto& [name, tensor] : file.tensors) {
    for (const auto& method : kMethods) {
      if (name.ends_with(method.ending)) return refused(where, name, method.name);
    }
    if (const auto layer = stem_of(name, std::array{kMark})) {
      if (auto checked = check_mark(where, *layer, tensor); !checked) return checked;
    } else if (const auto scaled = stem_of(name, kWeightScales)) {
      const auto weight = file.tensors.find(std::string(*scaled) + ".weight");
      if (weight == file.tensors.end()) return refused(where, name, "a scale without a weight");
      const auto why = attach(weight->second, tensor);
      if (!why.empty()) return refused(where, *scaled, why);
    } else if (!stem_of(name, kInputScales) && !is_old_mark(name)) {
      continue;
    }
    spent.push_back(name);
  }
  for (const auto& name : spent) file.tensors.erase(name);
  return {};
}

}  // namespace limner::weights
