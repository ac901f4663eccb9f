// The OpenVINO side of Network. Only nn/ and runtime/ include this.
#pragma once

#include <memory>

#include <openvino/core/model.hpp>

#include "runtime/network.hpp"

namespace limner::runtime {

struct Network::Impl {
  std::shared_ptr<ov::Model> model;
};

}  // namespace limner::runtime
