#include "router/key_pool.hpp"

#include <algorithm>
#include <cstdlib>

#include "base/hash.hpp"

namespace limner::router {
namespace {

bool names(const std::vector<std::string>& models, std::string_view model) {
  return std::ranges::any_of(models, [&](const auto& one) { return one == "*" || one == model; });
}

// The same on every machine and in every version, as std::hash is not. 52 bits: 0 ≤ share < 1.
double share_of(std::string_view session) {
  const auto digits = sha256_hex(session).substr(0, 13);
  return static_cast<double>(std::strtoull(digits.c_str(), nullptr, 16)) * 0x1.0p-52;
}

}  // namespace

bool allows(const ProviderKey& key, std::string_view model) {
  return names(key.models, model) && !names(key.blocked_models, model);
}

KeyPool::KeyPool(std::vector<ProviderKey> keys)
    : keys_(std::move(keys)), resting_until_(keys_.size()) {}

bool KeyPool::is_eligible(std::size_t key, const Choice& choice, TimePoint now) const {
  if (!allows(keys_[key], choice.model) || is_resting(key, now)) return false;
  if (choice.pinned) return keys_[key].name == *choice.pinned;
  if (keys_[key].weight <= 0) return false;
  return !choice.used || std::ranges::find(*choice.used, key) == choice.used->end();
}

std::optional<std::size_t> KeyPool::draw(const Choice& choice, TimePoint now) const {
  std::optional<std::size_t> last;
  double total = 0;
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    if (!is_eligible(key, choice, now)) continue;
    last = key;
    total += choice.pinned ? 1 : keys_[key].weight;
  }
  if (choice.pinned || !last) return last;
  double left = total * (choice.session ? share_of(*choice.session) : choice.random);
  for (std::size_t key = 0; key < keys_.size(); ++key) {
    if (!is_eligible(key, choice, now)) continue;
    left -= keys_[key].weight;
    if (left < 0) return key;
  }
  return last;  // rounding
}

void KeyPool::rest(std::size_t key, TimePoint until) {
  resting_until_[key] = std::max(resting_until_[key], until);
}

}  // namespace limner::router
