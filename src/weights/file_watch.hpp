// Were the files that tensors lie in changed since they were mapped?
#pragma once

#include <set>

#include "base/mapped_files.hpp"
#include "base/result.hpp"
#include "weights/safetensors.hpp"

namespace limner::weights {

// The tensors must stay alive as long as the watch: they keep their files mapped.
class FileWatch {
 public:
  FileWatch() = default;
  explicit FileWatch(const TensorMap& tensors);
  // A look at each file, microseconds: Unavailable "model_files_changed".
  Result<void> check() const;

 private:
  std::set<MappingId> mappings_;
};

}  // namespace limner::weights
