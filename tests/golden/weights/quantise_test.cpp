// Our int8 rows against numpy's (tools/golden/make_quantised.py): equal, ties and empty rows
// included.
#include "weights/quantise.hpp"

#include <cstring>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "weights/safetensors.hpp"

namespace limner::weights {
namespace {

TEST(GoldenQuantise, ValuesAndScalesAreNumpys) {
  const auto file = open_safetensors(std::filesystem::path(LIMNER_SOURCE_DIR) /
                                     "tests/golden/weights/quantised.safetensors");
  ASSERT_TRUE(file) << file.error().message;
  for (const std::string name : {"f32", "f16", "bf16", "ties", "zeros", "kernel_1x1"}) {
    const auto rows = quantise_rows(file->tensors.at(name));
    ASSERT_TRUE(rows) << name;
    const auto& values = file->tensors.at(name + ".values");
    ASSERT_EQ(values.bytes.size(), rows->values.size()) << name;
    EXPECT_EQ(std::memcmp(values.bytes.data(), rows->values.data(), values.bytes.size()), 0)
        << name;
    EXPECT_EQ(to_float32(file->tensors.at(name + ".scales")), rows->scales) << name;
  }
}

}  // namespace
}  // namespace limner::weights
