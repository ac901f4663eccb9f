#include "api/plan_request.hpp"

#include <algorithm>
#include <chrono>
#include <iterator>
#include <memory>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "api/allowed_models.hpp"
#include "api/field_reader.hpp"
#include "api/fit_prompt.hpp"
#include "api/resolve.hpp"
#include "base/ids.hpp"
#include "router/fallback_chain.hpp"

namespace limner::api {
namespace {

ReplyPlan reply_of_words(const Services& services, const CallContext& call,
                         const ImageRequest& request) {
  ReplyPlan plan;
  plan.dialect = request.dialect;
  plan.operation = request.operation;
  plan.request_id = call.request_id;
  plan.has_extra_fields =
      rules_of(request.dialect).sends_extra_fields || services.options.sends_extra_fields;
  plan.response_format = request.response_format;
  plan.output_format = request.output_format;
  plan.output_compression = request.output_compression.value_or(100);
  if (!request.user.empty()) plan.safety_identifier = request.user;
  return plan;
}

class Planner {
 public:
  Planner(Services& services, const CallContext& call, ImageRequest& request)
      : services_(services), call_(call), request_(request) {}

  Result<RequestPlan> run() {
    if (auto named = check_model_is_named(); !named) return named.error();
    if (auto allowed = services_.blocklist.check(request_); !allowed) return allowed.error();
    if (auto opened = open_pictures(); !opened) return opened.error();
    RequestPlan plan;
    plan.candidates.push_back({request_.model, plan_model(request_.model, plan)});
    const auto& first = plan.candidates.front().request;
    if (!first && !router::is_worth_another_place(first.error())) return first.error();
    for (const auto& name : request_.fallbacks) {
      plan.candidates.push_back({name, plan_model(name, plan)});
    }
    if (plan.by_model.empty()) return plan.candidates.front().request.error();
    return plan;
  }

 private:
  // OVMS deduces an absent model only where there is one; the others have a default.
  Result<void> check_model_is_named() const {
    if (request_.dialect != Dialect::Ovms || !request_.model.empty()) return {};
    if (allowed_models(services_.painter, call_).size() < 2) return {};
    return missing_field("model",
                         "since several are served: in the body or as "
                         "/v3/MODEL/images/…");
  }

  Result<void> open_pictures() {
    for (auto& input : request_.images) {
      auto opened = OpenedImage::open(std::move(input), services_.limits, &services_.fetcher);
      if (!opened) return opened.error();
      pictures_.push_back(*std::move(opened));
    }
    if (!request_.mask) return {};
    auto opened =
        OpenedImage::open(std::move(*request_.mask), services_.limits, &services_.fetcher);
    if (!opened) return opened.error();
    mask_file_ = *std::move(opened);
    return {};
  }

  // Decoded when the first model is known to exist: a wrong name costs no decoding.
  Result<void> load_pictures_once() {
    if (loaded_ || pictures_.empty()) return {};
    auto loaded = load_images(pictures_.front(), mask_file_ ? &*mask_file_ : nullptr,
                              {.edit_type = request_.edit_type,
                               .repaints_hole = request_.repaints_hole,
                               .canvas = request_.size,
                               .mask_size = rules_of(request_.dialect).mask_size},
                              services_.limits);
    if (!loaded) return loaded.error();
    loaded_ = *std::move(loaded);
    return {};
  }

  Result<GenerationRequest> plan_model(const std::string& name, RequestPlan& plan) {
    auto model = find_allowed(services_.painter, call_, name);
    if (!model) return model.error();
    if (auto loaded = load_pictures_once(); !loaded) return loaded.error();
    auto resolved = resolve_for(*model);
    if (!resolved) return resolved.error();
    ModelPlan made{.generation = std::move(resolved->generation),
                   .reply = reply_of_words(services_, call_, request_)};
    complete_reply(*model, *resolved, made);
    if (auto fits = fit_long_prompt(*model, made); !fits) return fits.error();
    GenerationRequest generation = made.generation;
    if (loaded_) add_pictures(*loaded_, generation);
    if (plan.by_model.empty()) plan.first_model = model->name;
    plan.by_model.emplace(model->name, std::move(made));
    return generation;
  }

  Result<Resolved> resolve_for(const ServedModel& model) const {
    auto resolved =
        resolve({.request = request_,
                 .traits = *model.traits,
                 .policy = model.policy,
                 .first_image = pictures_.empty() ? std::nullopt
                                                  : std::optional(pictures_.front().header().size),
                 .has_mask = loaded_ && loaded_->mask,
                 .random_seed = random_seed_,
                 .is_strict = is_strict()});
    if (!resolved) return resolved;
    auto& generation = resolved->generation;
    generation.id = call_.request_id;
    generation.principal = call_.turn_owner;
    generation.model = model.name;
    add_adapters(model.adapters, generation);
    if (rules_of(request_.dialect).reads_prompt_syntax) {
      generation.prompt_reading = {.chunks_max = services_.options.prompt_chunks.value_or(1),
                                   .has_weights = services_.options.reads_prompt_weights};
    }
    // Progress is always told: the registry answers from it. It costs one small event a step.
    generation.wants_progress = true;
    generation.model_wait_max = std::min(services_.options.model_wait,
                                         call_.model_wait_max.value_or(std::chrono::hours{24}));
    return resolved;
  }

  // Those of the model's name; what the request says of one of them counts instead.
  static void add_adapters(const std::vector<AdapterRef>& of_name, GenerationRequest& generation) {
    const auto given = generation.adapters;
    for (const auto& adapter : of_name) {
      if (std::ranges::find(given, adapter.name, &AdapterRef::name) != given.end()) continue;
      generation.adapters.push_back(adapter);
    }
  }

  bool is_strict() const { return call_.is_strict || services_.options.is_strict; }

  void complete_reply(const ServedModel& model, const Resolved& resolved, ModelPlan& made) const {
    auto& reply = made.reply;
    reply.model_requested = request_.model.empty() ? model.name : request_.model;
    reply.model = model.name;
    reply.is_transparent = resolved.is_transparent;
    reply.quality = resolved.quality;
    reply.size = made.generation.size;
    reply.image_count = made.generation.image_count;
    reply.notes = resolved.notes;
    for (const auto& picture : pictures_) {
      reply.input_image_tokens +=
          input_image_tokens(picture.header().size, request_.has_high_input_fidelity);
    }
  }

  // What is longer than the model reads: fitted, unless the operator or a strict dialect wants it
  // refused.
  Result<void> fit_long_prompt(const ServedModel& model, ModelPlan& made) const {
    const auto& rules = rules_of(request_.dialect);
    const auto& options = services_.options;
    if (!options.truncates_prompts.value_or(rules.fits_long_prompts && !is_strict())) {
      return refuse_long_prompt(made.generation, services_.painter);
    }
    const int chunks_max =
        rules.reads_prompt_syntax
            ? options.prompt_chunks.value_or(services_.limits.prompt_chunks_default)
            : 1;
    auto fitted = fit_prompt(
        made.generation, {.chunks_max = chunks_max, .reads_tags = !model.traits->adapters.empty()},
        services_.painter);
    made.reply.revised_prompt = std::move(fitted.revised);
    std::ranges::move(fitted.notes, std::back_inserter(made.reply.notes));
    return {};
  }

  Services& services_;
  const CallContext& call_;
  ImageRequest& request_;
  // The same for every model, so that a fallback paints with the seed the client may have been
  // told.
  const std::uint64_t random_seed_ = random_u64() >> 32U;
  std::vector<OpenedImage> pictures_;
  std::optional<OpenedImage> mask_file_;
  std::optional<LoadedImages> loaded_;
};

// What a removed background does not depend on, where the client sent it.
std::vector<std::string> idle_in_cut_out(const ImageRequest& request) {
  const std::pair<bool, std::string_view> fields[] = {
      {!request.prompt.text.empty(), "prompt"},
      {!request.prompt.negative.empty(), "negative_prompt"},
      {request.quality.has_value(), "quality"},
      {request.style.has_value(), "style"},
      {request.has_high_input_fidelity, "input_fidelity"},
      {request.seed.has_value(), "seed"},
      {request.num_inference_steps.has_value(), "num_inference_steps"},
      {request.guidance_scale.has_value(), "guidance_scale"},
      {request.scheduler.has_value(), "scheduler"},
      {request.strength.has_value(), "strength"},
      {!request.adapters.empty(), request.adapters_field},
  };
  std::vector<std::string> notes;
  for (const auto& [is_given, name] : fields) {
    if (is_given) notes.push_back(fmt::format("{}: no effect, nothing is painted", name));
  }
  for (const auto& [field, why] : request.idle) {
    notes.push_back(fmt::format("{}: no effect, {}", field, why));
  }
  return notes;
}

}  // namespace

Result<RequestPlan> plan_request(Services& services, const CallContext& call,
                                 ImageRequest& request) {
  return Planner(services, call, request).run();
}

ReplyPlan plan_cut_out(const Services& services, const CallContext& call,
                       const ImageRequest& request, ImageSize size) {
  auto plan = reply_of_words(services, call, request);
  plan.model_requested =
      request.model.empty() ? std::string(services.matting.name()) : request.model;
  plan.is_transparent = true;
  plan.quality = request.quality.value_or(Quality::Medium);
  plan.size = size;
  plan.notes = idle_in_cut_out(request);
  plan.input_image_tokens = input_image_tokens(size, false);
  return plan;
}

}  // namespace limner::api
