#include "runtime/precision_choice.hpp"

#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "support/temp_dir.hpp"

namespace limner::runtime {
namespace {

constexpr ProbeSizes kSizes{.channels = 320, .side = 32};

// What a processor takes, and how often it was asked.
struct Processor {
  PrecisionTimes times{.f32_seconds = 1, .bf16_seconds = 0.5};
  int measured = 0;

  PrecisionChoice::Measure measure() {
    return [this](const ProbeSizes&) -> Result<PrecisionTimes> {
      ++measured;
      return times;
    };
  }
};

TEST(FasterPrecision, IsBf16OnlyWhereItIsClearlyFaster) {
  EXPECT_EQ(faster({.f32_seconds = 1, .bf16_seconds = 0.5}), Precision::Bf16);
  EXPECT_EQ(faster({.f32_seconds = 1, .bf16_seconds = 0.95}), Precision::F32);
  EXPECT_EQ(faster({.f32_seconds = 1, .bf16_seconds = 1}), Precision::F32);
  // SD 1.5's step on a processor with avx512_bf16.
  EXPECT_EQ(faster({.f32_seconds = 1.37, .bf16_seconds = 2.07}), Precision::F32);
  EXPECT_EQ(faster({.f32_seconds = 0, .bf16_seconds = 0}), Precision::F32);
}

TEST(ProbeSizes, AreTheModelsWithinWhatASecondAllows) {
  EXPECT_EQ(bounded({.channels = 32, .side = 32}), (ProbeSizes{.channels = 32, .side = 32}));
  for (const ProbeSizes sizes : {ProbeSizes{3072, 64}, {320, 128}, {1, 1}, {1 << 30, 1 << 30}}) {
    const auto b = bounded(sizes);
    EXPECT_GE(b.side, 8);
    EXPECT_LE(9.0 * b.channels * b.channels * b.side * b.side, 1.5e9);
  }
}

TEST(PrecisionChoice, IsF32WithoutMeasuringWhereTheDeviceHasNoBf16) {
  const TempDir dir;
  PrecisionChoice choice(dir.path(), "cpu", {});
  EXPECT_EQ(choice.choose(kSizes), Precision::F32);
  EXPECT_TRUE(std::filesystem::is_empty(dir.path()));
}

TEST(PrecisionChoice, MeasuresOnceAndKeepsWhatItFoundBesideTheCache) {
  const TempDir dir;
  Processor processor;
  for (int start = 0; start < 2; ++start) {
    PrecisionChoice choice(dir.path(), "cpu", processor.measure());
    EXPECT_EQ(choice.choose(kSizes), Precision::Bf16);
    EXPECT_EQ(choice.choose(kSizes), Precision::Bf16);
  }
  EXPECT_EQ(processor.measured, 1);
}

TEST(PrecisionChoice, MeasuresAnewForOtherSizesAndOnAnotherMachine) {
  const TempDir dir;
  Processor processor;
  PrecisionChoice choice(dir.path(), "cpu", processor.measure());
  choice.choose(kSizes);
  choice.choose({.channels = 640, .side = 32});
  EXPECT_EQ(processor.measured, 2);
  processor.times.bf16_seconds = 2;
  PrecisionChoice moved(dir.path(), "another cpu", processor.measure());
  EXPECT_EQ(moved.choose(kSizes), Precision::F32);
  EXPECT_EQ(processor.measured, 3);
}

TEST(PrecisionChoice, MeasuresAnewWhenWhatWasKeptIsDamaged) {
  const TempDir dir;
  Processor processor;
  PrecisionChoice(dir.path(), "cpu", processor.measure()).choose(kSizes);
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    auto text = read_file(entry.path(), 4096).value();
    char& digit = text[text.find("seconds\":") + 9];
    digit = digit == '1' ? '2' : '1';
    ASSERT_TRUE(write_file(entry.path(), text));
  }
  EXPECT_EQ(PrecisionChoice(dir.path(), "cpu", processor.measure()).choose(kSizes),
            Precision::Bf16);
  EXPECT_EQ(processor.measured, 2);
}

TEST(PrecisionChoice, IsF32WhereMeasuringFails) {
  PrecisionChoice choice({}, "cpu", [](const ProbeSizes&) -> Result<PrecisionTimes> {
    return Error{.message = "no"};
  });
  EXPECT_EQ(choice.choose(kSizes), Precision::F32);
}

TEST(PrecisionChoice, WorksWithoutAFolder) {
  Processor processor;
  PrecisionChoice choice({}, "cpu", processor.measure());
  EXPECT_EQ(choice.choose(kSizes), Precision::Bf16);
  EXPECT_EQ(choice.choose(kSizes), Precision::Bf16);
  EXPECT_EQ(processor.measured, 1);
}

}  // namespace
}  // namespace limner::runtime
