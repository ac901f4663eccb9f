#include "nn/weight_scope.hpp"

#include <utility>

#include <fmt/format.h>

#include "nn/graph.hpp"
#include "weights/finite.hpp"

namespace limner::nn {

WeightScope::WeightScope(weights::WeightSource& source, WeightFormat format, NumberCheck check)
    : shared_(std::make_shared<Shared>(Shared{source, format, check, {}, {}})) {
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
  const bool is_first_use = shared_->used.insert(full).second;
  if (is_first_use && shared_->check == NumberCheck::Yes) {
    if (const auto index = weights::find_unusable(*tensor)) {
      throw NumbersError(fmt::format(
          "the tensor {} holds numbers that are not finite or too large to calculate with, the "
          "first at {}",
          full, *index));
    }
  }
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
