#include "runtime/runtime.hpp"

#include <filesystem>
#include <memory>
#include <new>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/files.hpp"
#include "nn/graph.hpp"
#include "nn/ops.hpp"
#include "support/temp_dir.hpp"

namespace limner::runtime {
namespace {

std::unique_ptr<Runtime> make_runtime(const std::filesystem::path& cache) {
  auto created = Runtime::create({.precision = Precision::F32, .threads = 1, .cache_dir = cache});
  EXPECT_TRUE(created);
  return *std::move(created);
}

// y = 2 x, counting how often the graph is written.
CompileRequest doubling(int& built) {
  return {.name = "doubling", .cache_key = "doubling", .build = [&built] {
            ++built;
            return nn::trace("doubling", [](nn::Graph& graph) {
              graph.output("y", graph.input("x", {2}) * 2.0);
            });
          }};
}

std::vector<float> run(CompiledNetwork& network) {
  const std::vector<float> x{1, 2};
  std::vector<float> y(2);
  const Input input{"x", {2}, std::span<const float>(x)};
  const Output output{"y", y};
  EXPECT_TRUE(network.run({&input, 1}, {&output, 1}));
  return y;
}

TEST(Runtime, TakesACompiledGraphFromTheCache) {
  const TempDir dir;
  int built = 0;
  for (const bool expected : {false, true}) {
    auto runtime = make_runtime(dir.path());
    auto network = runtime->compile(doubling(built));
    ASSERT_TRUE(network) << network.error().detail;
    EXPECT_EQ((*network)->came_from_cache(), expected);
    EXPECT_THAT(run(**network), ::testing::ElementsAre(2, 4));
  }
  EXPECT_EQ(built, 1);
}

TEST(Runtime, MakesAGraphAnewWhenItsCachedFileIsBroken) {
  const TempDir dir;
  int built = 0;
  ASSERT_TRUE(make_runtime(dir.path())->compile(doubling(built)));
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    ASSERT_TRUE(write_file(entry.path(), "not a graph"));
  }
  auto network = make_runtime(dir.path())->compile(doubling(built));
  ASSERT_TRUE(network) << network.error().detail;
  EXPECT_FALSE((*network)->came_from_cache());
  EXPECT_THAT(run(**network), ::testing::ElementsAre(2, 4));
  EXPECT_EQ(built, 2);
}

TEST(Runtime, MakesAGraphAnewWhenABitOfItsCachedFileIsFlipped) {
  const TempDir dir;
  int built = 0;
  ASSERT_TRUE(make_runtime(dir.path())->compile(doubling(built)));
  for (const auto& entry : std::filesystem::directory_iterator(dir.path())) {
    auto bytes = read_file(entry.path(), 1 << 20).value();
    char& middle = bytes[bytes.size() / 2];
    middle = static_cast<char>(middle ^ 1);
    ASSERT_TRUE(write_file(entry.path(), bytes));
  }
  for (const bool from_cache : {false, true}) {
    auto network = make_runtime(dir.path())->compile(doubling(built));
    ASSERT_TRUE(network) << network.error().detail;
    EXPECT_EQ((*network)->came_from_cache(), from_cache);
  }
  EXPECT_EQ(built, 2);
}

TEST(Runtime, KeepsPrecisionsApartInTheCache) {
  const TempDir dir;
  int built = 0;
  auto runtime =
      Runtime::create({.precision = Precision::Auto, .threads = 1, .cache_dir = dir.path()})
          .value();
  for (const auto precision : {Precision::F32, Precision::Bf16, Precision::F32}) {
    auto request = doubling(built);
    request.precision = precision;
    auto network = runtime->compile(request);
    ASSERT_TRUE(network) << network.error().detail;
    EXPECT_THAT(run(**network), ::testing::ElementsAre(2, 4));
  }
  EXPECT_EQ(built, 2);
}

TEST(Runtime, TakesTheConfiguredPrecisionWithoutMeasuring) {
  for (const auto precision : {Precision::F32, Precision::Bf16}) {
    auto runtime = Runtime::create({.precision = precision, .threads = 1}).value();
    EXPECT_EQ(runtime->choose_precision({}), precision);
  }
}

TEST(Runtime, SaysThatMemoryRanOutAndThatItIsNotTheCallers) {
  auto runtime = make_runtime({});
  const auto compiled =
      runtime->compile({.name = "unet", .build = []() -> Result<Network> {
                          return nn::trace("unet", [](nn::Graph&) { throw std::bad_alloc(); });
                        }});
  ASSERT_FALSE(compiled);
  EXPECT_EQ(compiled.error().kind, ErrorKind::Unavailable);
  EXPECT_EQ(compiled.error().code, "insufficient_memory");
}

TEST(Runtime, SaysWhenADeviceIsNotThere) {
  const auto created = Runtime::create({.device = "NOSUCH"});
  ASSERT_FALSE(created);
  EXPECT_THAT(created.error().message, ::testing::HasSubstr("device"));
}

TEST(Runtime, CountsAtLeastOneCpu) {
  EXPECT_GE(available_cpus(), 1);
}

}  // namespace
}  // namespace limner::runtime
