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
  FakePainter() { serve("fake", {"gpt-image-1"}); }

  void serve(std::string name, std::vector<std::string> aliases = {}) {
    ModelTraits traits;
    traits.name = name;
    traits.family = "FakePipeline";
    traits.tasks = {Task::TextToImage, Task::ImageToImage, Task::Inpaint};
    traits.schedulers = {SchedulerKind::Pndm};
    served_.push_back({.name = std::move(name),
                       .aliases = std::move(aliases),
                       .policy = {},
                       .traits = std::make_shared<const ModelTraits>(std::move(traits)),
                       .is_ready = true,
                       .loading = std::nullopt,
                       .error = std::nullopt});
  }

  std::vector<api::ServedModel> models() const override { return served_; }

  Result<api::ServedModel> find(std::string_view name) override { return look_up(name); }

  Result<api::ServedModel> look_up(std::string_view name) const override {
    if (name.empty()) return served_.front();
    for (const auto& model : served_) {
      if (model.name == name || std::ranges::count(model.aliases, name) > 0) return model;
    }
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

// Keeps pictures in memory, until a test takes the disk away.
class FakePictures final : public storage::BlobStore {
 public:
  Result<storage::BlobInfo> put(std::span<const std::uint8_t> content,
                                std::string_view content_type) override {
    if (on_put) on_put();
    if (refusal) return *refusal;
    return store_.put(content, content_type);
  }
  Result<storage::Blob> open(std::string_view id) const override { return store_.open(id); }
  Result<storage::BlobInfo> info(std::string_view id) const override { return store_.info(id); }
  bool remove(std::string_view id) override { return store_.remove(id); }
  void sweep() override { store_.sweep(); }
  std::size_t used_size_bytes() const override { return store_.used_size_bytes(); }

  std::function<void()> on_put = {};
  std::optional<Error> refusal = std::nullopt;

 private:
  storage::MemoryBlobStore store_{{}, system_clock()};
};

class FakeServices {
 public:
  api::Services& services() { return services_; }
  FakePainter& painter() { return painter_; }
  FakePictures& pictures() { return pictures_; }

 private:
  FakePainter painter_;
  api::RequestRegistry requests_{{}, system_clock()};
  api::Blocklist blocklist_;
  cutout::ClassicalMatting matting_;
  http::Fetcher fetcher_{{}};
  FakePictures pictures_;
  api::IdempotencyStore idempotency_{{}, pictures_, system_clock()};
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
