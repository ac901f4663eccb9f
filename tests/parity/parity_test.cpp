// Our pictures in float32 against diffusers' own, case by case (README.md). Prints what it
// measured.

#include <gtest/gtest.h>

#include "parity/check_case.hpp"
#include "parity/manifest.hpp"
#include "parity/painting.hpp"

namespace limner::parity {
namespace {

class Parity : public testing::TestWithParam<std::string> {};

TEST_P(Parity, PaintsWhatDiffusersPaints) {
  const std::filesystem::path dir = model_dir(GetParam());
  if (!std::filesystem::exists(dir)) GTEST_SKIP() << dir << " is not here";
  const auto model = load_model(GetParam());
  ASSERT_TRUE(model) << model.error().message;
  const auto manifests = read_manifests();
  for (const Case& c : manifests.at(GetParam())) check_case(*model->pipeline, c);
}

std::vector<std::string> models() {
  std::vector<std::string> names;
  for (const auto& [name, cases] : read_manifests()) names.push_back(name);
  return names;
}

INSTANTIATE_TEST_SUITE_P(Models, Parity, testing::ValuesIn(models()), test_name);

}  // namespace
}  // namespace limner::parity
