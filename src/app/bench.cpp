#include <algorithm>
#include <cstdio>
#include <fstream>

#include <fmt/format.h>

#include "app/commands.hpp"
#include "app/model_folders.hpp"
#include "app/paint.hpp"
#include "app/pipelines_source.hpp"
#include "app/progress_bar.hpp"

namespace limner::app {
namespace {

using Seconds = std::chrono::duration<double>;

double median(std::vector<double> values) {
  std::ranges::sort(values);
  const auto middle = values.size() / 2;
  return values.size() % 2 == 1 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

// Peak resident set in MiB, as the kernel counts it; 0 where it does not say.
double peak_rss_mib() {
  std::ifstream status("/proc/self/status");
  std::string line;
  while (std::getline(status, line)) {
    if (line.starts_with("VmHWM:")) return std::stod(line.substr(6)) / 1024;
  }
  return 0;
}

struct Round {
  double seconds = 0;
  double seconds_per_step = 0;
  double decode_seconds = 0;
};

Result<Round> paint_round(pipelines::Pipeline& pipeline, const GenerationRequest& request,
                          ProgressBar& bar) {
  const auto start = std::chrono::steady_clock::now();
  auto result = paint(pipeline, request, [&](int step, int count) { bar.show(step, count); });
  if (!result) return result.error();
  const int steps = std::max(1, result->effective.num_inference_steps);
  return Round{.seconds = Seconds(std::chrono::steady_clock::now() - start).count(),
               .seconds_per_step = Seconds(result->timings.denoise).count() / steps,
               .decode_seconds = Seconds(result->timings.decode).count()};
}

Result<void> measure(const config::Config& config) {
  auto models = models_to_serve(config);
  if (!models) return models.error();
  const auto& model = models->front();
  PipelinesSource source(config, *models);
  const auto start = std::chrono::steady_clock::now();
  auto pipeline = source.open(model.name);
  if (!pipeline) return pipeline.error();
  const double load_seconds = Seconds(std::chrono::steady_clock::now() - start).count();
  auto request = request_of(config, model.policy, (*pipeline)->traits());
  if (!request) return request.error();
  if (request->prompt.text.empty()) request->prompt.text = "a red apple";

  ProgressBar bar(false);
  auto first = paint_round(**pipeline, *request, bar);
  if (!first) return first.error();
  std::vector<double> totals;
  std::vector<double> steps;
  std::vector<double> decodes;
  for (int i = 0; i < config.paint.rounds; ++i) {
    auto round = paint_round(**pipeline, *request, bar);
    if (!round) return round.error();
    totals.push_back(round->seconds);
    steps.push_back(round->seconds_per_step);
    decodes.push_back(round->decode_seconds);
  }
  fmt::print(
      "model              {}\nsize               {}\nimages             {}\n"
      "load               {:.2f} s\nfirst picture      {:.2f} s\n"
      "picture            {:.3f} s  (median of {})\nstep               {:.4f} s\n"
      "decode             {:.3f} s\npeak memory        {:.0f} MiB\n",
      model.name, to_string(request->size), request->image_count, load_seconds, first->seconds,
      median(totals), totals.size(), median(steps), median(decodes), peak_rss_mib());
  return {};
}

}  // namespace

int bench(const config::Config& config) {
  const auto done = measure(config);
  if (done) return kExitGood;
  fmt::print(stderr, "limner: {}\n", done.error().message);
  return kExitFailed;
}

}  // namespace limner::app
