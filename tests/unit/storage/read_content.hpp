// What a reader of a blob gets.
#pragma once

#include <string>

#include <unistd.h>

#include "base/shared_content.hpp"

namespace limner::storage {

inline std::string read_content(const SharedContent& content) {
  if (!content.is_file()) return std::string(content.in_memory());
  std::string text(content.size(), '\0');
  const auto n = ::pread(content.file(), text.data(), text.size(),
                         static_cast<off_t>(content.file_offset()));
  text.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
  return text;
}

}  // namespace limner::storage
