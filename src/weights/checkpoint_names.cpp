#include "weights/checkpoint_names.hpp"

#include <algorithm>
#include <charconv>
#include <utility>

#include <fmt/format.h>

#include "weights/tensor_forms.hpp"

namespace limner::weights {
namespace {

// The tensor in the form that `placement` asks for, or what is wrong with its shape.
std::optional<TensorView> formed(const TensorView& tensor, const Placement& placement) {
  const Shape& shape = tensor.shape;
  switch (placement.form) {
    case Placement::Form::Whole:
      return tensor;
    case Placement::Form::Rows:
      if (shape.empty() || placement.row_count < 1 ||
          placement.first_row + placement.row_count > shape[0]) {
        return std::nullopt;
      }
      return rows_of(tensor, placement.first_row, placement.row_count);
    case Placement::Form::Matrix:
      if (shape.size() < 2 || element_count(shape) != element_count({shape[0], shape[1]})) {
        return std::nullopt;
      }
      return reshaped(tensor, {shape[0], shape[1]});
    case Placement::Form::Transposed:
      if (shape.size() != 2 || tensor.scales.size() > 1) return std::nullopt;
      return transposed(tensor);
    case Placement::Form::HalvesSwapped:
      if (shape.empty() || shape[0] % 2 != 0) return std::nullopt;
      return halves_swapped(tensor);
  }
  return std::nullopt;
}

}  // namespace

NetworkTensors NetworkTensors::below(const TensorMap& file, std::string_view prefix) {
  NetworkTensors network{.prefix = std::string(prefix), .tensors = {}};
  for (auto it = file.lower_bound(prefix); it != file.end() && it->first.starts_with(prefix);
       ++it) {
    network.tensors.emplace(it->first.substr(prefix.size()), it->second);
  }
  return network;
}

std::size_t NetworkTensors::count(std::string_view stem) const {
  std::size_t n = 0;
  while (true) {
    const std::string name = fmt::format("{}{}.", stem, n);
    const auto it = tensors.lower_bound(name);
    if (it == tensors.end() || !it->first.starts_with(name)) return n;
    ++n;
  }
}

Result<TensorMap> place_all(const NetworkTensors& network, const PlaceTensor& place,
                            std::vector<std::string>& unknown) {
  TensorMap placed;
  for (const auto& [name, tensor] : network.tensors) {
    const auto placements = place(name, tensor);
    if (!placements) {
      unknown.push_back(network.prefix + name);
      continue;
    }
    const bool is_copied = std::ranges::all_of(*placements, [](const Placement& placement) {
      return placement.form == Placement::Form::Whole;
    });
    if (tensor.dtype == DType::Other && !is_copied) {
      return Error{.kind = ErrorKind::InvalidArgument,
                   .message = fmt::format("tensor {}{} is {}, expected F32, F16 or BF16",
                                          network.prefix, name, tensor.other_dtype),
                   .code = "invalid_weights"};
    }
    for (const auto& placement : *placements) {
      auto form = formed(tensor, placement);
      if (!form || !placed.emplace(placement.name, std::move(*form)).second) {
        return Error{.kind = ErrorKind::InvalidArgument,
                     .message = fmt::format("tensor {}{} of shape {} {} {}", network.prefix, name,
                                            to_string(tensor.shape),
                                            form ? "is the second for" : "has not the shape for",
                                            placement.name),
                     .code = "invalid_weights"};
      }
    }
  }
  return placed;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (!text.starts_with(prefix)) return false;
  text.remove_prefix(prefix.size());
  return true;
}

std::optional<std::size_t> take_index(std::string_view& text) {
  std::size_t index = 0;
  const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), index);
  const auto digits = static_cast<std::size_t>(end - text.data());
  if (ec != std::errc() || digits == text.size() || text[digits] != '.') return std::nullopt;
  text.remove_prefix(digits + 1);
  return index;
}

}  // namespace limner::weights
