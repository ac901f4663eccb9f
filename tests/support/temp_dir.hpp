// A folder of its own for a test, gone with it.
#pragma once

#include <filesystem>
#include <string>

#include "base/ids.hpp"

namespace limner {

class TempDir {
 public:
  TempDir() : path_(std::filesystem::temp_directory_path() / random_id("limner-test-")) {
    std::filesystem::create_directories(path_);
  }
  TempDir(const TempDir&) = delete;
  TempDir& operator=(const TempDir&) = delete;
  ~TempDir() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

 private:
  std::filesystem::path path_;
};

}  // namespace limner
