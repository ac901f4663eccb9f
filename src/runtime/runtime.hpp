// OpenVINO: compile and infer, with a cache of compiled graphs on disk. Library exceptions become
// Error here and go no further.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "runtime/network.hpp"
#include "runtime/precision.hpp"
#include "runtime/precision_choice.hpp"
#include "runtime/tensor.hpp"

namespace limner::runtime {

struct RuntimeOptions {
  std::string device = "CPU";
  // F32 is exact: products with int8 weights do not round their inputs either.
  Precision precision = Precision::Auto;
  int threads = 0;                       // 0: what the container's CPU quota allows
  std::filesystem::path cache_dir = {};  // of compiled graphs; empty: none
  std::size_t cache_bytes_max = std::size_t{8} << 30;
};

// One input: numbers of float32 or int64, row-major, borrowed for the call.
struct Input {
  std::string_view name;
  Shape shape;
  std::variant<std::span<const float>, std::span<const std::int64_t>> data;
};

// One output, written into the caller's buffer.
struct Output {
  std::string_view name;
  std::span<float> data;
};

// A network ready to run, for fixed shapes. One call at a time.
class CompiledNetwork {
 public:
  struct Impl;
  explicit CompiledNetwork(std::unique_ptr<Impl> impl);
  ~CompiledNetwork();

  // Every input and every output of the network.
  // Error: Internal, Unavailable when memory ran out, or what check_weights says; InvalidArgument
  // never.
  Result<void> run(std::span<const Input> inputs, std::span<const Output> outputs);
  Shape output_shape(std::string_view name) const;
  bool came_from_cache() const;

 private:
  std::unique_ptr<Impl> impl_;
};

struct CompileRequest {
  std::string name;  // for the log: "unet 2x4x64x64"
  // Everything the graph depends on (config, weights' fingerprint, shapes); empty: not cached.
  std::string cache_key = {};
  std::function<Result<Network>()> build;  // called only when the cache has nothing
  // Are the bytes still right that the network's constants are borrowed from? Asked after compiling
  // and after each run, whose results are no more than an error then. May be empty.
  std::function<Result<void>()> check_weights = {};
  // Where the runtime's own is Auto: what choose_precision said; absent, f32.
  std::optional<Precision> precision = std::nullopt;
};

class Runtime {
 public:
  // Error: the device is not there.
  static Result<std::unique_ptr<Runtime>> create(RuntimeOptions options);
  ~Runtime();

  Result<std::unique_ptr<CompiledNetwork>> compile(const CompileRequest& request);
  // An IR from disk (`.xml` with its `.bin` beside it).
  Result<Network> read_ir(const std::filesystem::path& xml);

  const RuntimeOptions& options() const;
  // F32 or Bf16: the configured one, or the faster one for networks of these sizes, which takes a
  // second where it was never measured on this machine. Any thread.
  Precision choose_precision(const ProbeSizes& sizes);
  std::string version() const;

 private:
  struct Impl;
  explicit Runtime(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// CPUs this process may use: affinity and cgroup quota, at least 1.
int available_cpus();

}  // namespace limner::runtime
