// The OpenVINO side of Network. Only nn/ and runtime/ include this.
#pragma once

#include <memory>
#include <vector>

#include <openvino/core/model.hpp>

#include "runtime/network.hpp"

namespace limner::runtime {

struct Network::Impl {
  std::shared_ptr<ov::Model> model;
  // What the constants point into (mapped weight files); compiled networks may still read them.
  std::vector<std::shared_ptr<const void>> owners;
};

}  // namespace limner::runtime
