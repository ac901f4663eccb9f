// tests/golden/images, made by tools/golden/make_images.py.
#pragma once

#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/json.hpp"
#include "codec/decode.hpp"

namespace limner::codec::testing {

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(LIMNER_SOURCE_DIR) / "tests/golden/images";
}

inline std::vector<std::uint8_t> golden_bytes(const std::string& name) {
  const auto text = read_file(golden_folder() / name, 1 << 20);
  EXPECT_TRUE(text) << text.error().message;
  if (!text) return {};
  return {text->begin(), text->end()};
}

inline Image golden_image(const std::string& name) {
  auto image = decode_image(golden_bytes(name));
  EXPECT_TRUE(image) << name << ": " << image.error().message << ": " << image.error().detail;
  return image ? std::move(*image) : Image{};
}

inline json::array manifest(std::string_view list) {
  const auto value = read_json_file(golden_folder() / "manifest.json");
  EXPECT_TRUE(value) << value.error().message;
  return value ? value->at(list).as_array() : json::array{};
}

inline std::string text_of(const json::value& entry, std::string_view key) {
  return std::string(entry.at(key).as_string());
}

inline int number_of(const json::value& entry, std::string_view key) {
  return static_cast<int>(entry.at(key).as_int64());
}

// Largest difference of any channel of any pixel; 256 when the shapes differ.
inline int largest_difference(const Image& a, const Image& b) {
  if (a.size != b.size || a.channels != b.channels) return 256;
  int largest = 0;
  for (std::size_t i = 0; i < a.pixels.size(); ++i) {
    largest = std::max(largest, std::abs(a.pixels[i] - b.pixels[i]));
  }
  return largest;
}

}  // namespace limner::codec::testing
