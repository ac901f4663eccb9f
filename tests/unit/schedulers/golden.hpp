// Reading tests/golden/schedulers, and the numbers that its maker computes instead of storing.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/base64.hpp"
#include "base/json.hpp"

namespace limner::schedulers {

inline json::value load_golden(const std::string& name) {
  auto file = read_json_file(std::string(LIMNER_SOURCE_DIR "/tests/golden/schedulers/") + name);
  if (!file) {
    ADD_FAILURE() << file.error().message;
    return json::object{{"cases", json::array{}}};
  }
  return std::move(*file);
}

inline std::vector<float> floats_of(const json::value& packed) {
  const auto bytes = base64_decode(packed.as_string());
  EXPECT_TRUE(bytes.has_value());
  std::vector<float> out(bytes->size() / sizeof(float));
  std::memcpy(out.data(), bytes->data(), out.size() * sizeof(float));
  return out;
}

// `pseudo` of the maker: numbers in [-2, 2) by a 32-bit linear congruence.
inline std::vector<float> pseudo_latents(std::uint32_t stream, std::size_t size = 24) {
  std::uint32_t state = stream * 2654435761U + 12345U;
  std::vector<float> out;
  for (std::size_t i = 0; i < size; ++i) {
    state = state * 1664525U + 1013904223U;
    out.push_back(static_cast<float>((state >> 8U) / 4194304.0 - 2));
  }
  return out;
}

}  // namespace limner::schedulers
