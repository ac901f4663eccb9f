// The kinds of content a store keeps, and how their files end.
#pragma once

#include <optional>
#include <string_view>

namespace limner::storage {

struct ContentType {
  std::string_view name;
  std::string_view extension;
};

inline constexpr ContentType kContentTypes[] = {
    {"image/png", "png"},
    {"image/jpeg", "jpg"},
    {"image/webp", "webp"},
    {"application/json", "json"},
    {"application/octet-stream", "bin"},
};

inline const ContentType* find_content_type(std::string_view name) {
  for (const auto& type : kContentTypes) {
    if (type.name == name) return &type;
  }
  return nullptr;
}

inline const ContentType* find_content_type_by_extension(std::string_view extension) {
  for (const auto& type : kContentTypes) {
    if (type.extension == extension) return &type;
  }
  return nullptr;
}

}  // namespace limner::storage
