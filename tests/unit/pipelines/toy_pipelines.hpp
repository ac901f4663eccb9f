// Loads the toys of the parity tests, as they are or with one value of one config changed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "diffusion/pipelines/factory.hpp"
#include "runtime/runtime.hpp"

namespace limner::pipelines {

inline std::filesystem::path toy(const std::string& name) {
  return std::filesystem::path(LIMNER_SOURCE_DIR) / "tests/parity/data/models" / name;
}

class ToyPipelines : public testing::Test {
 protected:
  ToyPipelines()
      : runtime_(runtime::Runtime::create(
                     {.precision = runtime::Precision::F32, .threads = 1, .cache_dir = {}})
                     .value()),
        copy_(std::filesystem::path(testing::TempDir()) / random_id("toy_")) {}
  ~ToyPipelines() override { std::filesystem::remove_all(copy_); }

  Result<std::unique_ptr<Pipeline>> load_folder(const std::string& name,
                                                const std::filesystem::path& folder) {
    return load_pipeline(name, folder, *runtime_);
  }

  Result<std::unique_ptr<Pipeline>> load_changed(const std::string& name,
                                                 const std::filesystem::path& config,
                                                 std::string_view key, const json::value& value) {
    std::filesystem::remove_all(copy_);
    std::filesystem::copy(toy(name), copy_, std::filesystem::copy_options::recursive);
    json::object object = read_json_file(copy_ / config).value().as_object();
    object[key] = value;
    EXPECT_TRUE(write_file(copy_ / config, json::serialize(object)));
    return load_folder(name, copy_);
  }

  std::unique_ptr<runtime::Runtime> runtime_;
  std::filesystem::path copy_;
};

}  // namespace limner::pipelines
