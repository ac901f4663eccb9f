#include "weights/file_watch.hpp"

namespace limner::weights {

FileWatch::FileWatch(const TensorMap& tensors) {
  const void* last_owner = nullptr;
  for (const auto& [name, tensor] : tensors) {
    if (tensor.bytes.empty() || tensor.owner.get() == last_owner) continue;
    last_owner = tensor.owner.get();
    if (const auto mapping = find_mapping(tensor.bytes.data())) mappings_.insert(*mapping);
  }
}

Result<void> FileWatch::check() const {
  for (const auto mapping : mappings_) {
    if (auto checked = check_mapping(mapping); !checked) return checked;
  }
  return {};
}

}  // namespace limner::weights
