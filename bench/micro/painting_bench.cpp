// Times a model part by part, one picture at a time, on demand: another engine can then be timed
// in turns with it (bench/compare_genai.py).
//
//   bench_painting DIR SIZE_PX PRECISION [CACHE_DIR]
//
// Each line "paint STEPS" on standard input is answered by one line of JSON on standard output.
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "diffusion/pipelines/factory.hpp"
#include "runtime/runtime.hpp"

namespace limner {
namespace {

class Stopwatch {
 public:
  double lap() {
    const auto now = std::chrono::steady_clock::now();
    const std::chrono::duration<double> seconds = now - started_;
    started_ = now;
    return seconds.count();
  }

 private:
  std::chrono::steady_clock::time_point started_ = std::chrono::steady_clock::now();
};

// VmRSS or VmHWM of this process in MiB; 0 where the kernel does not say.
double memory_mib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(field + ":")) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  return 0;
}

GenerationRequest request_for(int size_px, int steps) {
  GenerationRequest request;
  request.prompt.text = "a photo of a red fox in the snow, detailed, morning light";
  request.sampling.num_inference_steps = steps;
  request.sampling.guidance_scale = 7.5;
  request.sampling.seed = 1;
  request.size = {size_px, size_px};
  return request;
}

Result<void> paint(pipelines::Pipeline& pipeline, const GenerationRequest& request) {
  Stopwatch watch;
  auto state = pipeline.prepare(request);
  if (!state) return state.error();
  const double text = watch.lap();
  std::vector<double> steps;
  pipelines::DenoiseState* const one = state->get();
  while (!one->is_finished()) {
    if (auto done = pipeline.step({&one, 1}).front(); !done) return done.error();
    steps.push_back(watch.lap());
  }
  if (auto done = pipeline.decode(*one, pipelines::DecodeQuality::Full); !done) {
    return done.error();
  }
  fmt::print(R"({{"text_s":{},"steps_s":[{}],"decode_s":{},"rss_mib":{:.0f},"peak_mib":{:.0f}}})"
             "\n",
             text, fmt::join(steps, ","), watch.lap(), memory_mib("VmRSS"), memory_mib("VmHWM"));
  std::fflush(stdout);
  return {};
}

Result<void> serve_turns(const std::string& dir, int size_px, runtime::RuntimeOptions options) {
  Stopwatch watch;
  auto runtime = runtime::Runtime::create(std::move(options));
  if (!runtime) return runtime.error();
  auto pipeline = pipelines::load_pipeline("bench", dir, **runtime);
  if (!pipeline) return pipeline.error();
  fmt::print(R"({{"load_s":{}}})"
             "\n",
             watch.lap());
  std::fflush(stdout);
  std::string command;
  int steps = 0;
  while (std::cin >> command >> steps) {
    if (auto ok = paint(**pipeline, request_for(size_px, steps)); !ok) return ok.error();
  }
  return {};
}

}  // namespace
}  // namespace limner

int main(int argc, char** argv) {
  using namespace limner;
  const auto precision = argc >= 4 ? runtime::parse_precision(argv[3]) : std::nullopt;
  if (!precision) {
    fmt::print(stderr, "usage: bench_painting DIR SIZE_PX auto|f32|bf16 [CACHE_DIR]\n");
    return 2;
  }
  const auto done =
      serve_turns(argv[1], std::atoi(argv[2]),
                  {.precision = *precision, .cache_dir = argc > 4 ? argv[4] : std::string()});
  if (done) return 0;
  fmt::print(stderr, "{} {}\n", done.error().message, done.error().detail);
  return 1;
}
