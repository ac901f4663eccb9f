#include "support/fake_pipeline.hpp"

#include <charconv>
#include <stdexcept>
#include <utility>

#include "base/check.hpp"

namespace limner::test {
namespace {

using pipelines::BatchKey;
using pipelines::BatchShape;
using pipelines::DecodeQuality;
using pipelines::DenoiseState;

class FakeState final : public DenoiseState {
 public:
  FakeState(GenerationRequest from, BatchShape batch_shape, EffectiveParams effective)
      : request(std::move(from)), shape(std::move(batch_shape)), effective_(std::move(effective)) {}
  int step_index() const override { return steps_done; }
  int step_count() const override { return effective_.num_inference_steps; }
  const EffectiveParams& effective() const override { return effective_; }

  const GenerationRequest request;
  const BatchShape shape;
  int steps_done = 0;

 private:
  const EffectiveParams effective_;
};

FakeState& as_fake(DenoiseState& state) {
  return dynamic_cast<FakeState&>(state);
}

bool asks_for(const GenerationRequest& request, std::string_view what) {
  return request.prompt.text.find(what) != std::string::npos;
}

// "[fail step 3]" asks at the third call, when two are done.
bool asks_now(const FakeState& state, std::string_view what) {
  const std::string& text = state.request.prompt.text;
  const auto found = text.find(what);
  if (found == std::string::npos) return false;
  int step = 0;
  const char* first = text.data() + found + what.size();
  std::from_chars(first, text.data() + text.size(), step);
  return step == state.steps_done + 1;
}

Error injected(std::string_view where) {
  return {.kind = ErrorKind::Internal, .message = "injected at " + std::string(where)};
}

ModelTraits make_traits(const FakeOptions& options) {
  ModelTraits traits;
  traits.name = options.name;
  traits.family = "FakePipeline";
  traits.defaults.num_inference_steps = options.step_count;
  traits.defaults.size = {64, 64};
  traits.defaults.scheduler = SchedulerKind::Euler;
  traits.size_multiple_px = options.size_multiple_px;
  traits.schedulers = {SchedulerKind::Euler};
  traits.adapters = options.adapters;
  traits.tasks = {Task::TextToImage, Task::ImageToImage, Task::Inpaint};
  return traits;
}

// FNV-1a, so that pictures are the same on every machine.
std::uint64_t hash(std::string_view text) {
  std::uint64_t value = 0xcbf29ce484222325u;
  for (const char c : text) {
    value = (value ^ static_cast<unsigned char>(c)) * 0x100000001b3u;
  }
  return value;
}

}  // namespace

FakePipeline::FakePipeline(FakeOptions options, std::shared_ptr<Record> record)
    : options_(std::move(options)), traits_(make_traits(options_)), record_(std::move(record)) {}

BatchShape FakePipeline::batch_shape(const GenerationRequest& request) const {
  const double guidance = request.sampling.guidance_scale.value_or(traits_.defaults.guidance_scale);
  return {.key = {.latent_height = request.size.height_px / options_.size_multiple_px,
                  .latent_width = request.size.width_px / options_.size_multiple_px,
                  .sequence_length = 77},
          .rows = request.image_count * (guidance > 1.0 ? 2 : 1)};
}

Result<EffectiveParams> FakePipeline::check(const GenerationRequest& request) const {
  if (request.prompt.text.size() > options_.prompt_chars_max) {
    return invalid_value("prompt", "prompt: longer than the fake model takes");
  }
  const int multiple = options_.size_multiple_px;
  if (request.size.width_px % multiple != 0 || request.size.height_px % multiple != 0) {
    return invalid_value("size", "size: got " + to_string(request.size) +
                                     ", expected multiples of " + std::to_string(multiple));
  }
  const auto& defaults = traits_.defaults;
  return EffectiveParams{
      .model = options_.name,
      .num_inference_steps =
          request.sampling.num_inference_steps.value_or(defaults.num_inference_steps),
      .guidance_scale = request.sampling.guidance_scale.value_or(defaults.guidance_scale),
      .scheduler = SchedulerKind::Euler,
      .size = request.size,
      .text_tokens = static_cast<int>(request.prompt.text.size()) / 4 + 1,
      .notes = {}};
}

Result<std::unique_ptr<DenoiseState>> FakePipeline::prepare(const GenerationRequest& request) {
  {
    std::lock_guard lock(record_->mutex);
    record_->prepared.push_back(request.id);
  }
  if (options_.on_prepare) options_.on_prepare();
  if (asks_for(request, kThrowPrepare)) throw std::runtime_error("injected exception");
  if (asks_for(request, kFailPrepare)) return injected("prepare");
  if (asks_for(request, kFilesChanged)) {
    return Error{.kind = ErrorKind::Unavailable, .message = "m", .code = "model_files_changed"};
  }
  auto effective = check(request);
  if (!effective) return effective.error();
  return std::make_unique<FakeState>(request, batch_shape(request), std::move(*effective));
}

std::vector<Result<void>> FakePipeline::step(std::span<DenoiseState* const> states) {
  Call call;
  bool is_poisoned = false;
  bool throws = false;
  for (DenoiseState* state : states) {
    const FakeState& fake = as_fake(*state);
    LIMNER_CHECK(!fake.is_finished(), "a finished state was stepped");
    call.request_ids.push_back(fake.request.id);
    call.keys.push_back(fake.shape.key);
    call.rows += fake.shape.rows;
    is_poisoned |= asks_now(fake, kPoisonStep);
    throws |= asks_now(fake, kThrowStep);
  }
  if (options_.on_step) options_.on_step(call.rows);
  {
    std::lock_guard lock(record_->mutex);
    record_->calls.push_back(std::move(call));
  }
  if (throws) throw std::runtime_error("injected exception");
  std::vector<Result<void>> outcomes;
  for (DenoiseState* state : states) {
    FakeState& fake = as_fake(*state);
    if (is_poisoned || asks_now(fake, kFailStep)) {
      outcomes.push_back(injected("step"));
      continue;
    }
    if (!asks_for(fake.request, kStuckStep)) ++fake.steps_done;
    outcomes.emplace_back();
  }
  return outcomes;
}

Result<std::vector<Image>> FakePipeline::decode(DenoiseState& state, DecodeQuality quality) {
  const FakeState& fake = as_fake(state);
  if (options_.on_decode) options_.on_decode(quality);
  {
    std::lock_guard lock(record_->mutex);
    if (quality == DecodeQuality::Full) {
      record_->decoded.push_back(fake.request.id);
    } else {
      ++record_->previews;
    }
  }
  const bool fails = quality == DecodeQuality::Full ? asks_for(fake.request, kFailDecode)
                                                    : asks_for(fake.request, kFailPreview);
  if (fails) return injected("decode");
  std::vector<Image> images;
  for (int i = 0; i < fake.request.image_count; ++i) {
    images.push_back(painted(fake.request, i, fake.steps_done));
  }
  return images;
}

// A gradient whose colours come from seed, prompt and steps.
Image FakePipeline::painted(const GenerationRequest& request, int image_index, int step_index) {
  const std::uint64_t seed = request.sampling.seed + static_cast<std::uint64_t>(image_index);
  const std::uint64_t value =
      hash(request.prompt.text + "|" + std::to_string(seed) + "|" + std::to_string(step_index));
  Image image = Image::blank(request.size, 3);
  for (int y = 0; y < image.size.height_px; ++y) {
    std::uint8_t* px = image.row(y);
    for (int x = 0; x < image.size.width_px; ++x, px += 3) {
      px[0] = static_cast<std::uint8_t>(value + static_cast<std::uint64_t>(x));
      px[1] = static_cast<std::uint8_t>((value >> 8) + static_cast<std::uint64_t>(y));
      px[2] = static_cast<std::uint8_t>((value >> 16) + static_cast<std::uint64_t>(x + y));
    }
  }
  return image;
}

}  // namespace limner::test
