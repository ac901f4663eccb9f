// Who asks.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"

namespace limner::auth {

struct Principal {
  static constexpr const char* kAnonymous = "anonymous";

  std::string id;                   // of the key; "anonymous" when no key is asked for
  std::string name;                 // what its owner called the key; may be empty
  std::vector<std::string> models;  // that it may use; empty: all

  static Principal anonymous() { return {.id = kAnonymous, .name = {}, .models = {}}; }
  bool is_anonymous() const { return id == kAnonymous; }
  bool may_use(std::string_view model) const;
  // PermissionDenied with code "model_blocked".
  Result<void> check_model(std::string_view model) const;
};

}  // namespace limner::auth
