// A provider's keys: which one the next attempt uses, and which rest. Not thread-safe.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.hpp"

namespace limner::router {

// What routing knows of a key: never its secret.
struct ProviderKey {
  std::string name;
  double weight = 1;                        // 0: only when pinned
  std::vector<std::string> models = {"*"};  // "*" is any
  std::vector<std::string> blocked_models = {};
};

bool allows(const ProviderKey& key, std::string_view model);

class KeyPool {
 public:
  explicit KeyPool(std::vector<ProviderKey> keys);

  struct Choice {
    std::string_view model;
    std::optional<std::string_view> pinned = std::nullopt;   // a key's name: that one or none
    std::optional<std::string_view> session = std::nullopt;  // the same session, the same key
    const std::vector<std::size_t>* used = nullptr;          // already tried by this request
    double random = 0;                                       // 0 ≤ random < 1
  };
  // An index into keys(); empty when none may be used now.
  std::optional<std::size_t> draw(const Choice& choice, TimePoint now) const;

  // Until then it is not drawn. A longer rest is not shortened.
  void rest(std::size_t key, TimePoint until);
  bool is_resting(std::size_t key, TimePoint now) const { return resting_until_[key] > now; }
  const std::vector<ProviderKey>& keys() const { return keys_; }

 private:
  bool is_eligible(std::size_t key, const Choice& choice, TimePoint now) const;

  std::vector<ProviderKey> keys_;
  std::vector<TimePoint> resting_until_;
};

}  // namespace limner::router
