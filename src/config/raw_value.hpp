// A setting's text before it was understood, and where it stood, for the error message.
#pragma once

#include <string>
#include <vector>

namespace limner::config {

struct RawValue {
  std::string text;
  std::string where;  // "--port", "LIMNER_PORT" or "limner.yaml:3: port"
};

using RawValues = std::vector<RawValue>;

}  // namespace limner::config
