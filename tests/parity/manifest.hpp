// The cases that tools/golden/make_pipelines.py painted with diffusers.
#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "core/generation.hpp"

namespace limner::parity {

struct Tolerance {
  double mean_abs_difference_8bit = 0;
  double psnr_db = 0;
};

struct Case {
  std::string name;
  GenerationRequest request;
  std::filesystem::path file;  // pictures of the request, from top to bottom
  Tolerance tolerance;
};

// Where a manifest's paths begin: data/ beside this file, or LIMNER_PARITY_DATA.
std::filesystem::path data_dir();
// Cases of every manifest, by model.
std::map<std::string, std::vector<Case>> read_manifests();
// Cases of one manifest, by model.
std::map<std::string, std::vector<Case>> read_manifest(const std::filesystem::path& path);
// A toy of data/models or the embedded default.
std::filesystem::path model_dir(const std::string& model);

// How a test of one model is called: a model's name may hold what a test's may not.
std::string test_name(const testing::TestParamInfo<std::string>& model);

Image read_picture(const std::filesystem::path& file);

}  // namespace limner::parity
