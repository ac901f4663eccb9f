// A network before it is compiled for a device. Made by nn::trace or read from an IR file; what is
// inside is the runtime's own (network_impl.hpp, for nn/ and runtime/ only).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "runtime/tensor.hpp"

namespace limner::runtime {

class Network {
 public:
  struct Impl;
  explicit Network(std::unique_ptr<Impl> impl);
  Network(Network&&) noexcept;
  Network& operator=(Network&&) noexcept;
  ~Network();

  const Impl& impl() const { return *impl_; }

 private:
  std::unique_ptr<Impl> impl_;
};

}  // namespace limner::runtime
