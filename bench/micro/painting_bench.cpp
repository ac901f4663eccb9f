// Times a model part by part, one picture at a time, on demand: another engine can then be timed
// in turns with it (bench/compare_genai.py).
//
//   bench_painting DIR SIZE_PX auto|f32|bf16 [auto|f16|bf16|int8 [CACHE_DIR]]
//
// Each line "paint STEPS" on standard input is answered by one line of JSON on standard output.
#include <cstdio>
#include <ctime>
#include <fstream>
#include <iostream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "diffusion/pipelines/factory.hpp"
#include "runtime/runtime.hpp"

namespace limner {
namespace {

// Seconds on the clock, and processor seconds of all threads of this process: the latter hardly
// feel what else the machine does.
struct Lap {
  double wall = 0;
  double cpu = 0;
};

class Stopwatch {
 public:
  Lap lap() {
    const Lap now = read();
    const Lap passed{now.wall - started_.wall, now.cpu - started_.cpu};
    started_ = now;
    return passed;
  }

 private:
  static double seconds(clockid_t clock) {
    timespec now{};
    clock_gettime(clock, &now);
    return static_cast<double>(now.tv_sec) + static_cast<double>(now.tv_nsec) * 1e-9;
  }
  static Lap read() { return {seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)}; }

  Lap started_ = read();
};

// A size field of /proc/self/status in MiB; 0 where the kernel does not say.
double memory_mib(const std::string& field) {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with(field + ":")) return std::stod(line.substr(field.size() + 1)) / 1024;
  }
  return 0;
}

// `turn` makes each prompt new: encodings of known ones are kept.
GenerationRequest request_for(int size_px, int steps, int turn) {
  GenerationRequest request;
  request.prompt.text = fmt::format("a photo of {} red foxes in the snow, morning light", turn);
  request.prompt.negative = fmt::format("blurry, {}", turn);
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
  const Lap text = watch.lap();
  std::vector<double> steps;
  std::vector<double> steps_cpu;
  pipelines::DenoiseState* const one = state->get();
  while (!one->is_finished()) {
    if (auto done = pipeline.step({&one, 1}).front(); !done) return done.error();
    const Lap step = watch.lap();
    steps.push_back(step.wall);
    steps_cpu.push_back(step.cpu);
  }
  if (auto done = pipeline.decode(*one, pipelines::DecodeQuality::Full); !done) {
    return done.error();
  }
  const Lap decode = watch.lap();
  fmt::print(R"({{"text_s":{},"text_cpu_s":{},"steps_s":[{}],"steps_cpu_s":[{}],"decode_s":{},)"
             R"("decode_cpu_s":{},"rss_mib":{:.0f},"anonymous_mib":{:.0f},"peak_mib":{:.0f}}})"
             "\n",
             text.wall, text.cpu, fmt::join(steps, ","), fmt::join(steps_cpu, ","), decode.wall,
             decode.cpu, memory_mib("VmRSS"), memory_mib("RssAnon"), memory_mib("VmHWM"));
  std::fflush(stdout);
  return {};
}

std::optional<nn::WeightFormat> parse_weights(std::string_view text) {
  using enum nn::WeightFormat;
  if (text == "auto") return Auto;
  if (text == "f16") return F16;
  if (text == "bf16") return Bf16;
  if (text == "int8") return Int8;
  return std::nullopt;
}

Result<void> serve_turns(const std::string& dir, int size_px, runtime::RuntimeOptions options,
                         nn::WeightFormat weights) {
  Stopwatch watch;
  auto runtime = runtime::Runtime::create(std::move(options));
  if (!runtime) return runtime.error();
  auto pipeline = pipelines::load_pipeline("bench", dir, **runtime, {.weight_format = weights});
  if (!pipeline) return pipeline.error();
  fmt::print(R"({{"load_s":{}}})"
             "\n",
             watch.lap().wall);
  std::fflush(stdout);
  std::string command;
  int steps = 0;
  for (int turn = 1; std::cin >> command >> steps; ++turn) {
    if (auto ok = paint(**pipeline, request_for(size_px, steps, turn)); !ok) return ok.error();
  }
  return {};
}

}  // namespace
}  // namespace limner

int main(int argc, char** argv) {
  using namespace limner;
  const auto precision = argc >= 4 ? runtime::parse_precision(argv[3]) : std::nullopt;
  const auto weights = parse_weights(argc >= 5 ? argv[4] : "auto");
  if (!precision || !weights) {
    fmt::print(
        stderr,
        "usage: bench_painting DIR SIZE_PX auto|f32|bf16 [auto|f16|bf16|int8 [CACHE_DIR]]\n");
    return 2;
  }
  const auto done = serve_turns(
      argv[1], std::atoi(argv[2]),
      {.precision = *precision, .cache_dir = argc > 5 ? argv[5] : std::string()}, *weights);
  if (done) return 0;
  fmt::print(stderr, "{} {}\n", done.error().message, done.error().detail);
  return 1;
}
