// SHA-256, for cache keys and digests.
#pragma once

#include <string>
#include <string_view>

namespace limner {

// 64 lower-case hex digits.
std::string sha256_hex(std::string_view bytes);

}  // namespace limner
