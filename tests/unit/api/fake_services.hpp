// What the API needs, without a model: a painter whose pictures are grey and done at once.
#pragma once

#include <algorithm>
#include <memory>
#include <utility>

#include "api/services.hpp"
#include "cutout/classical_matting.hpp"
#include "storage/memory_blob_store.hpp"

namespace limner::test {

// A prompt that fails after its previews.
inline constexpr std::string_view kFails = "fails";

class FakePainter final : public api::Painter {
 public:
  FakePainter() {
    ModelTraits traits;
    traits.name = "fake";
    traits.family = "FakePipeline";
    traits.tasks = {Task::TextToImage, Task::ImageToImage, Task::Inpaint};
    traits.schedulers = {SchedulerKind::Pndm};
    served_.push_back({.name = "fake",
                       .aliases = {"gpt-image-1"},
                       .policy = {},
                       .traits = std::make_shared<const ModelTraits>(std::move(traits)),
                       .is_ready = true,
                       .loading = std::nullopt,
                       .error = std::nullopt});
  }

  std::vector<api::ServedModel> models() const override { return served_; }

  Result<api::ServedModel> find(std::string_view name) override { return look_up(name); }

  Result<api::ServedModel> look_up(std::string_view name) const override {
    if (name.empty() || name == "fake" || name == "gpt-image-1") return served_.front();
    return Error{.kind = ErrorKind::NotFound,
                 .message = "model: not served",
                 .param = "model",
                 .code = "model_not_found"};
  }

  // Reads 75 words and no chunks.
  Result<api::PaintEstimate> estimate(const GenerationRequest& request) override {
    if (std::ranges::count(request.prompt.text, ' ') >= 75) {
      return invalid_value("prompt", "prompt: too long", "prompt_too_long");
    }
    return api::PaintEstimate{.effective = effective(request),
                              .rows = request.image_count,
                              .expected_wait = {},
                              .expected_time = std::chrono::milliseconds{1'500}};
  }

  Result<api::Accepted> paint(std::vector<api::Candidate> candidates,
                              std::shared_ptr<EventSink> sink, std::stop_token) override {
    for (auto& candidate : candidates) {
      if (!candidate.request) continue;
      const auto& request = *candidate.request;
      for (int p = 0; p < request.partial_images; ++p) {
        for (int i = 0; i < request.image_count; ++i) {
          sink->emit(event::Partial{
              .image_index = i, .partial_index = p, .image = Image::blank(request.size, 3, 64)});
        }
      }
      if (request.prompt.text == kFails) {
        sink->emit(event::Failed{{.kind = ErrorKind::Internal,
                                  .message = "the picture could not be painted",
                                  .code = "engine_failure",
                                  .detail = "a secret"}});
        return api::Accepted{};
      }
      event::Completed completed{.images = {}, .effective = effective(request), .timings = {}};
      for (int i = 0; i < request.image_count; ++i) {
        completed.images.push_back({.index = i,
                                    .seed = request.sampling.seed + static_cast<std::uint64_t>(i),
                                    .image = Image::blank(request.size, 3, 128)});
      }
      sink->emit(std::move(completed));
      return api::Accepted{};
    }
    return candidates.front().request.error();
  }

 private:
  static EffectiveParams effective(const GenerationRequest& request) {
    EffectiveParams params;
    params.model = request.model;
    params.num_inference_steps = request.sampling.num_inference_steps.value_or(50);
    params.guidance_scale = request.sampling.guidance_scale.value_or(7.5);
    params.size = request.size;
    params.text_tokens = 3;
    return params;
  }

  std::vector<api::ServedModel> served_;
};

class FakeServices {
 public:
  api::Services& services() { return services_; }

 private:
  FakePainter painter_;
  api::RequestRegistry requests_{{}, system_clock()};
  api::IdempotencyStore idempotency_{{}, system_clock()};
  api::Blocklist blocklist_;
  cutout::ClassicalMatting matting_;
  http::Fetcher fetcher_{{}};
  storage::MemoryBlobStore pictures_{{}, system_clock()};
  metrics::Metrics metrics_{"test"};
  api::Services services_{.painter = painter_,
                          .workers = workers_,
                          .timer = timer_,
                          .requests = requests_,
                          .idempotency = idempotency_,
                          .blocklist = blocklist_,
                          .matting = matting_,
                          .fetcher = fetcher_,
                          .pictures = pictures_,
                          .metrics = metrics_,
                          .clock = system_clock(),
                          .limits = {},
                          .options = {}};
  // Last, so that they end first: what they run uses all the others.
  api::Timer timer_;
  api::WorkerPool workers_{1, 16};
};

}  // namespace limner::test
