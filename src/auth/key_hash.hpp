// API keys as text, and the only form of them that is stored.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace limner::auth {

using KeyDigest = std::array<std::uint8_t, 32>;

// A secret that makes stored digests useless to whoever has only them.
using Pepper = std::array<std::uint8_t, 32>;

// "ik-" and 43 base62 characters, 256 bits.
std::string make_key();
// The six characters behind "ik-", enough to recognise a key in a list.
std::string key_prefix(std::string_view key);

Pepper random_pepper();
// Reads the pepper, 64 hex digits in a file that only its owner may read; makes it when
// `may_create` and there is none.
Result<Pepper> load_pepper(const std::filesystem::path& path, bool may_create);

// HMAC-SHA-256(pepper, key).
KeyDigest hash_key(const Pepper& pepper, std::string_view key);
// In constant time.
bool are_equal(std::span<const std::uint8_t> a, std::span<const std::uint8_t> b);

}  // namespace limner::auth
