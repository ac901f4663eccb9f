#include "api/picture_text.hpp"

#include <fmt/format.h>

#include "api/json_writer.hpp"

namespace limner::api {
namespace {

// The names that other programs know the rules by.
std::string_view sampler_name(SchedulerKind kind) {
  switch (kind) {
    case SchedulerKind::Ddim:
      return "DDIM";
    case SchedulerKind::Pndm:
      return "PLMS";
    case SchedulerKind::Euler:
      return "Euler";
    case SchedulerKind::EulerAncestral:
      return "Euler a";
    case SchedulerKind::Heun:
      return "Heun";
    case SchedulerKind::Lms:
      return "LMS";
    case SchedulerKind::Dpmpp2m:
      return "DPM++ 2M";
    case SchedulerKind::Dpmpp2mKarras:
      return "DPM++ 2M Karras";
    case SchedulerKind::UniPc:
      return "UniPC";
    case SchedulerKind::DpmppSde:
      return "DPM++ SDE";
    case SchedulerKind::Dpmpp2mSde:
      return "DPM++ 2M SDE";
    case SchedulerKind::Deis:
      return "DEIS";
    case SchedulerKind::Lcm:
      return "LCM";
    case SchedulerKind::Tcd:
      return "TCD";
    case SchedulerKind::Ddpm:
      return "DDPM";
    case SchedulerKind::FlowMatchEuler:
      return "Euler";
    case SchedulerKind::FlowMatchHeun:
      return "Heun";
  }
  return "Euler";
}

std::string parameters_text(const GenerationRequest& request, const EffectiveParams& effective,
                            std::uint64_t seed) {
  std::string text = request.prompt.text;
  for (const auto& lora : request.adapters)
    text += fmt::format("<lora:{}:{}>", lora.name, strength_text(lora));
  text += "\n";
  if (!request.prompt.negative.empty()) {
    text += fmt::format("Negative prompt: {}\n", request.prompt.negative);
  }
  text += fmt::format("Steps: {}, Sampler: {}, CFG scale: {}, Seed: {}, Size: {}, Model: {}",
                      effective.num_inference_steps, sampler_name(effective.scheduler),
                      effective.guidance_scale, seed, to_string(effective.size), effective.model);
  if (request.init_image && request.sampling.strength) {
    text += fmt::format(", Denoising strength: {}", *request.sampling.strength);
  }
  return text + fmt::format(", Precision: {}, Version: limner", effective.precision);
}

json::value text_value(std::string_view text) {
  return json::string_view(text.data(), text.size());
}

}  // namespace

codec::Metadata picture_text(const GenerationRequest& request, const EffectiveParams& effective,
                             std::uint64_t seed) {
  json::object facts = {
      {"prompt", request.prompt.text},
      {"negative_prompt", request.prompt.negative},
      {"model", effective.model},
      {"seed", seed},
      {"size", to_string(effective.size)},
      {"num_inference_steps", effective.num_inference_steps},
      {"guidance_scale", effective.guidance_scale},
      {"scheduler", text_value(to_string(effective.scheduler))},
      {"precision", effective.precision},
  };
  if (request.init_image && request.sampling.strength) {
    facts["strength"] = *request.sampling.strength;
  }
  return {.parameters = parameters_text(request, effective, seed),
          .json = JsonWriter().value(facts).take()};
}

}  // namespace limner::api
