// Single-file checkpoints made of the toys paint what diffusers painted with the toys' folders.
#include <string>

#include <gtest/gtest.h>

#include "diffusion/pipelines/factory.hpp"
#include "parity/check_case.hpp"
#include "parity/manifest.hpp"
#include "runtime/runtime.hpp"

namespace limner::parity {
namespace {

std::filesystem::path file_of(const std::string& toy) {
  return data_dir() / "files" / (toy + ".safetensors");
}

class SingleFile : public testing::TestWithParam<std::string> {};

// The toys' heads and words are their own, so their configs are given. A third of the cases tells
// whether a tensor is in its place.
TEST_P(SingleFile, PaintsWhatTheFolderPaints) {
  const std::string toy = GetParam();
  auto runtime = runtime::Runtime::create({.precision = runtime::Precision::F32, .cache_dir = {}});
  ASSERT_TRUE(runtime.has_value()) << runtime.error().message;
  auto pipeline = pipelines::load_pipeline(toy, file_of(toy), **runtime,
                                           {.parts = {.configs = data_dir() / "models" / toy}});
  ASSERT_TRUE(pipeline.has_value()) << pipeline.error().message;
  const auto manifests = read_manifests();
  const auto& cases = manifests.at(toy);
  for (std::size_t i = 0; i < cases.size(); i += 3) check_case(**pipeline, cases[i]);
}

INSTANTIATE_TEST_SUITE_P(Toys, SingleFile,
                         testing::Values("sd1", "sd2-v", "sd-inpaint", "sdxl", "sd3", "flux-dev"),
                         test_name);

}  // namespace
}  // namespace limner::parity
