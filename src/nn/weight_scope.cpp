#include "nn/weight_scope.hpp"

#include <utility>

#include <fmt/format.h>

#include "nn/graph.hpp"

namespace limner::nn {

WeightScope::WeightScope(weights::WeightSource& source, WeightFormat format)
    : shared_(std::make_shared<Shared>(Shared{source, format, {}, {}})) {
  for (auto& name : source.names()) shared_->names.insert(std::move(name));
}

WeightScope::WeightScope(std::shared_ptr<Shared> shared, std::string path)
    : shared_(std::move(shared)), path_(std::move(path)) {}

WeightScope WeightScope::operator/(std::string_view name) const {
  return WeightScope(shared_, full_name(name));
}

std::string WeightScope::full_name(std::string_view name) const {
  return path_.empty() ? std::string(name) : path_ + "." + std::string(name);
}

bool WeightScope::has(std::string_view name) const {
  const std::string full = full_name(name);
  const auto it = shared_->names.lower_bound(full);
  if (it != shared_->names.end() && *it == full) return true;
  const std::string below = full + ".";
  const auto child = shared_->names.lower_bound(below);
  return child != shared_->names.end() && child->starts_with(below);
}

const weights::TensorView* WeightScope::find(std::string_view name) const {
  const std::string full = full_name(name);
  const auto* tensor = shared_->source.find(full);
  if (!tensor) return nullptr;
  if (!weights::is_weight(*tensor)) {
    throw GraphError(fmt::format("the tensor {} is {}, expected F32, F16 or BF16", full,
                                 weights::dtype_name(*tensor)));
  }
  shared_->used.insert(full);
  return tensor;
}

const weights::TensorView& WeightScope::get(std::string_view name) const {
  const auto* tensor = find(name);
  if (!tensor) throw GraphError("the weights have no tensor " + full_name(name));
  return *tensor;
}

std::vector<std::string> WeightScope::unused() const {
  std::vector<std::string> names;
  for (const auto& name : shared_->names) {
    if (!shared_->used.contains(name)) names.push_back(name);
  }
  return names;
}

}  // namespace limner::nn
