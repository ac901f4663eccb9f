#include "api/resolve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <limits>

#include <fmt/format.h>

#include "api/resolve_size.hpp"

namespace limner::api {
namespace {

// `input_fidelity` and variations in terms of strength; docs/api.md states them.
constexpr double kHighFidelityStrength = 0.5;
constexpr double kVariationStrength = 0.6;
constexpr double kVividFactor = 1.15;
constexpr double kNaturalFactor = 0.85;

class Resolver {
 public:
  explicit Resolver(const ResolveInput& input)
      : in_(input), request_(input.request), bounds_(bounds_of(input.traits, input.policy)) {}

  Result<Resolved> run() {
    out_.quality = request_.quality.value_or(Quality::Medium);
    out_.is_transparent = request_.background == Background::Transparent;
    auto& generation = out_.generation;
    generation.model = in_.traits.name;
    generation.prompt = request_.prompt;
    generation.partial_images = request_.partial_images;
    generation.wants_progress = request_.wants_progress;
    generation.adapters = request_.adapters;
    resolve_task();
    resolve_count();
    resolve_size_of_picture();
    resolve_steps();
    resolve_guidance();
    resolve_negative_prompt();
    resolve_strength();
    resolve_rest();
    for (const auto& [field, why] : request_.idle) note_idle(field, why);
    if (error_) return *std::move(error_);
    return std::move(out_);
  }

 private:
  void fail(Error error) {
    if (!error_) error_ = std::move(error);
  }

  // Said in a header, or refused where the caller wants strictness.
  void note_idle(std::string_view field, std::string_view why) {
    auto sentence = fmt::format("{}: no effect, {}", field, why);
    if (in_.is_strict) {
      fail(Error{.kind = ErrorKind::Unsupported, .message = sentence, .param = std::string(field)});
    }
    out_.notes.push_back(std::move(sentence));
  }

  void resolve_task() {
    auto& task = out_.generation.task;
    if (request_.images.empty()) return;
    task = in_.has_mask ? Task::Inpaint : Task::ImageToImage;
    if (request_.images.size() > 1) {
      fail(Error{.kind = ErrorKind::Unsupported,
                 .message = fmt::format("image: {} pictures, but this model edits one at a time",
                                        request_.images.size()),
                 .param = "image",
                 .code = "unsupported_for_model"});
    }
    const auto& tasks = in_.traits.tasks;
    if (std::ranges::find(tasks, task) != tasks.end()) return;
    const bool masks = task == Task::Inpaint;
    fail(Error{.kind = ErrorKind::Unsupported,
               .message = masks ? "mask: this model cannot repaint parts of a picture"
                                : "image: this model cannot start from a picture",
               .param = masks ? "mask" : "image",
               .code = "unsupported_for_model"});
  }

  void resolve_count() {
    const int count = request_.image_count.value_or(1);
    const int count_max = bounds_.images_max;
    if (count > count_max) {
      fail(invalid_value(
          "n", fmt::format("n: got {}, this model paints at most {} a request", count, count_max)));
    }
    out_.generation.image_count = count;
  }

  void resolve_size_of_picture() {
    const SizeRules rules{.traits = in_.traits, .policy = in_.policy};
    auto size = resolve_size(request_, rules, in_.first_image);
    if (!size) return fail(size.error());
    out_.generation.size = size->size;
    if (size->was_adjusted) {
      out_.notes.push_back(
          fmt::format("size: {} is the nearest that the model paints", to_string(size->size)));
    } else if (size->was_rounded) {
      out_.notes.push_back(
          fmt::format("size: the picture has {}, {} is the nearest that the model paints",
                      to_string(*in_.first_image), to_string(size->size)));
    }
  }

  void resolve_steps() {
    const int steps_max = bounds_.steps_max;
    if (const auto steps = request_.num_inference_steps) {
      if (*steps > steps_max) {
        fail(invalid_value(
            "num_inference_steps",
            fmt::format("num_inference_steps: got {}, expected 1 to {}", *steps, steps_max)));
      }
      out_.generation.sampling.num_inference_steps = *steps;
      if (request_.quality) {
        out_.notes.emplace_back("quality: counts in usage only, num_inference_steps is given");
      }
      return;
    }
    const auto scaled = std::lround(bounds_.default_steps * steps_factor(out_.quality));
    out_.generation.sampling.num_inference_steps =
        std::clamp(static_cast<int>(scaled), 1, std::max(1, steps_max));
  }

  void resolve_guidance() {
    auto& guidance = out_.generation.sampling.guidance_scale;
    constexpr std::string_view kWithout = "this model paints without guidance";
    if (!in_.traits.uses_guidance) {
      if (request_.guidance_scale) note_idle("guidance_scale", kWithout);
      if (request_.style) note_idle("style", kWithout);
      return;
    }
    guidance = request_.guidance_scale;
    if (guidance) {
      if (request_.style) note_idle("style", "guidance_scale is given");
      return;
    }
    guidance = bounds_.guidance_scale;
    if (!request_.style) return;
    // 1 and less is none: a factor must neither turn guidance on nor pretend to change it.
    if (*guidance <= 1) return note_idle("style", "this model is set to paint without guidance");
    guidance = *guidance * (request_.style == "vivid" ? kVividFactor : kNaturalFactor);
  }

  void resolve_negative_prompt() {
    auto& prompt = out_.generation.prompt;
    const bool is_given = !prompt.negative.empty() || prompt.negative_2 || prompt.negative_3;
    if (!in_.traits.uses_negative_prompt) {
      constexpr std::string_view kWithout = "this model paints without one";
      if (!prompt.negative.empty()) note_idle("negative_prompt", kWithout);
      if (prompt.negative_2) note_idle("negative_prompt_2", kWithout);
      if (prompt.negative_3) note_idle("negative_prompt_3", kWithout);
      prompt.negative.clear();
      prompt.negative_2.reset();
      prompt.negative_3.reset();
      return;
    }
    if (is_given) return;
    prompt.negative = in_.policy.negative_prompt.value_or(in_.traits.defaults.negative_prompt);
  }

  void resolve_strength() {
    auto& strength = out_.generation.sampling.strength;
    if (request_.images.empty()) {
      if (request_.strength) note_idle("strength", "there is no picture to start from");
      return;
    }
    strength = request_.strength;
    if (strength) {
      if (request_.has_high_input_fidelity) note_idle("input_fidelity", "strength is given");
      return;
    }
    if (request_.has_high_input_fidelity) {
      strength = kHighFidelityStrength;
    } else if (request_.operation == Operation::Variation) {
      strength = kVariationStrength;
    } else {
      strength = in_.policy.strength;  // absent: the pipeline's own, by task
    }
  }

  void resolve_adapters() {
    const auto& known = in_.traits.adapters;
    const auto& field = request_.adapters_field;
    for (const auto& adapter : request_.adapters) {
      if (known.empty()) {
        fail(Error{.kind = ErrorKind::Unsupported,
                   .message = fmt::format("{}: this model has no LoRAs", field),
                   .param = field,
                   .code = "unsupported_for_model"});
      } else if (std::ranges::find(known, adapter.name) == known.end()) {
        fail(invalid_value(field,
                           fmt::format("{}: this model has no LoRA \"{:.64}\"; /v1/capabilities "
                                       "lists what it has",
                                       field, adapter.name),
                           "unknown_lora"));
      }
    }
  }

  // Picture i has the seed + i, which must be a seed of its own.
  void resolve_seed() {
    auto& generation = out_.generation;
    generation.sampling.seed = request_.seed.value_or(in_.random_seed);
    constexpr auto kSeedMax = std::numeric_limits<std::uint64_t>::max();
    const auto seed_max = kSeedMax - static_cast<std::uint64_t>(generation.image_count - 1);
    if (generation.sampling.seed <= seed_max) return;
    fail(invalid_value("seed",
                       fmt::format("seed: got {}, expected at most {} for {} pictures, "
                                   "each of which has a seed one higher than the one "
                                   "before",
                                   generation.sampling.seed, seed_max, generation.image_count)));
  }

  void resolve_rest() {
    auto& sampling = out_.generation.sampling;
    resolve_seed();
    // Absent means the folder's own scheduler exactly as configured there, which is not the same as
    // asking for it by name.
    sampling.scheduler = request_.scheduler ? request_.scheduler : in_.policy.scheduler;
    const auto& known = in_.traits.schedulers;
    if (request_.scheduler && std::ranges::find(known, *request_.scheduler) == known.end()) {
      std::string names;
      for (const auto kind : known) {
        names += names.empty() ? "" : ", ";
        names += to_string(kind);
      }
      fail(Error{.kind = ErrorKind::Unsupported,
                 .message = fmt::format("scheduler: got \"{}\", this model takes {}",
                                        to_string(*request_.scheduler), names),
                 .param = "scheduler",
                 .code = "unsupported_for_model"});
    }
    if (in_.traits.uses_clip_skip) {
      sampling.clip_skip = request_.clip_skip;
    } else if (request_.clip_skip) {
      note_idle("clip_skip", "this model does not read CLIP's layers");
    }
    if (in_.traits.uses_max_sequence_length) {
      sampling.max_sequence_length = request_.max_sequence_length;
    } else if (request_.max_sequence_length) {
      note_idle("max_sequence_length", "this model's text encoders have one length");
    }
    const auto scheduler = sampling.scheduler.value_or(in_.traits.defaults.scheduler);
    if (scheduler == SchedulerKind::Ddim || scheduler == SchedulerKind::Tcd) {
      sampling.eta = request_.eta;
    } else if (request_.eta != 0) {
      note_idle("eta", "only the schedulers ddim and tcd use it");
    }
    resolve_adapters();
    note_idle_texts();
  }

  // Texts for encoders that the model does not have.
  void note_idle_texts() {
    const int encoders = in_.traits.text_encoder_count;
    const auto& prompt = request_.prompt;
    const bool has_negative = in_.traits.uses_negative_prompt;  // else it is noted already
    constexpr std::string_view kNoSecond = "one text encoder";
    constexpr std::string_view kNoThird = "no third text encoder";
    if (prompt.text_2 && encoders < 2) note_idle("prompt_2", kNoSecond);
    if (prompt.text_3 && encoders < 3) note_idle("prompt_3", kNoThird);
    if (prompt.negative_2 && encoders < 2 && has_negative)
      note_idle("negative_prompt_2", kNoSecond);
    if (prompt.negative_3 && encoders < 3 && has_negative) note_idle("negative_prompt_3", kNoThird);
  }

  const ResolveInput& in_;
  const ImageRequest& request_;
  const ModelBounds bounds_;
  Resolved out_;
  std::optional<Error> error_;
};

}  // namespace

ModelBounds bounds_of(const ModelTraits& traits, const ModelPolicy& policy) {
  const Limits limits;
  const int steps_max = std::min(traits.steps_max, limits.steps_max);
  return {.default_size = SizeRules{.traits = traits, .policy = policy}.native(),
          .default_steps = policy.default_steps.value_or(traits.defaults.num_inference_steps),
          .steps_max = std::min(policy.max_steps.value_or(steps_max), steps_max),
          .images_max = policy.max_images.value_or(limits.images_per_request_max),
          .guidance_scale = policy.guidance_scale.value_or(traits.defaults.guidance_scale)};
}

Result<Resolved> resolve(const ResolveInput& input) {
  return Resolver(input).run();
}

}  // namespace limner::api
