// Keeps the number of values of one label finite.
#pragma once

#include <cstddef>
#include <set>
#include <string>
#include <string_view>

#include "base/guarded.hpp"

namespace limner::metrics {

class BoundedLabel {
 public:
  static constexpr std::size_t kValuesMax = 64;
  static constexpr std::string_view kOther = "other";

  // `value` itself if it is known or there is room for it, else "other".
  std::string admit(std::string_view value) {
    return known_.with([&](auto& known) -> std::string {
      if (known.contains(value)) return std::string(value);
      if (known.size() >= kValuesMax) return std::string(kOther);
      return *known.emplace(value).first;
    });
  }

 private:
  Guarded<std::set<std::string, std::less<>>> known_;
};

}  // namespace limner::metrics
