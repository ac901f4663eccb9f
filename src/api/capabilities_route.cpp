#include "api/capabilities_route.hpp"

#include <algorithm>

#include "api/allowed_models.hpp"
#include "api/json_response.hpp"
#include "api/resolve.hpp"
#include "api/resolve_size.hpp"

namespace limner::api {
namespace {

json::value text_of(std::string_view text) {
  return json::string_view(text.data(), text.size());
}

json::value number_of(std::size_t count) {
  return static_cast<std::int64_t>(count);
}

json::object describe_size(const ModelTraits& traits, const ModelPolicy& policy) {
  ImageSize most{.width_px = traits.side_px_max, .height_px = traits.side_px_max};
  if (policy.max_resolution) {
    most.width_px = std::min(most.width_px, policy.max_resolution->width_px);
    most.height_px = std::min(most.height_px, policy.max_resolution->height_px);
  }
  json::object size = {
      {"default", to_string(bounds_of(traits, policy).default_size)},
      {"multiple_of", traits.size_multiple_px},
      {"min_side", traits.side_px_min},
      {"max_width", most.width_px},
      {"max_height", most.height_px},
      {"max_pixels", number_of(traits.pixels_max)},
  };
  if (!policy.allowed_resolutions.empty()) {
    json::array allowed;
    for (const auto one : policy.allowed_resolutions) allowed.emplace_back(to_string(one));
    size["allowed"] = std::move(allowed);
  }
  return size;
}

void describe_traits(const ModelTraits& traits, const ModelPolicy& policy, json::object& object) {
  const auto bounds = bounds_of(traits, policy);
  object["family"] = traits.family;
  object["precision"] = traits.precision;
  object["weights_format"] = traits.weights_format;
  json::array tasks;
  for (const auto task : traits.tasks) tasks.push_back(text_of(to_string(task)));
  object["tasks"] = std::move(tasks);
  object["size"] = describe_size(traits, policy);
  object["n"] = json::object{{"max", bounds.images_max}};
  object["num_inference_steps"] =
      json::object{{"default", bounds.default_steps}, {"max", bounds.steps_max}};
  object["guidance_scale"] =
      traits.uses_guidance ? json::value{{"default", bounds.guidance_scale}} : json::value(nullptr);
  object["negative_prompt"] = traits.uses_negative_prompt;
  object["prompts"] = traits.text_encoder_count;
  json::array adapters;
  for (const auto& name : traits.adapters) adapters.emplace_back(name);
  object["adapters"] = std::move(adapters);
  object["strength"] =
      json::object{{"default", policy.strength.value_or(traits.defaults.strength)}};
  json::array schedulers;
  for (const auto kind : traits.schedulers) schedulers.push_back(text_of(to_string(kind)));
  object["scheduler"] = json::object{
      {"default", text_of(to_string(policy.scheduler.value_or(traits.defaults.scheduler)))},
      {"available", std::move(schedulers)}};
}

json::object describe_model(const ServedModel& model) {
  json::array aliases;
  for (const auto& alias : model.aliases) aliases.emplace_back(alias);
  json::object object = {{"id", model.name},
                         {"aliases", std::move(aliases)},
                         {"is_ready", model.is_ready},
                         {"weights_bytes", number_of(model.size_bytes)}};
  // Nothing more is known of a model that cannot even be opened.
  if (model.traits) describe_traits(*model.traits, model.policy, object);
  return object;
}

json::object describe_limits(const Limits& limits) {
  return {
      {"json_body_bytes", number_of(limits.json_body_bytes_max)},
      {"form_body_bytes", number_of(limits.multipart_body_bytes_max)},
      {"file_bytes", number_of(limits.multipart_part_bytes_max)},
      {"picture_pixels", number_of(limits.decoded_pixels_max)},
      {"pictures_per_edit", limits.images_per_edit_max},
      {"prompt_characters", number_of(limits.prompt_chars_max)},
      {"partial_images", limits.partial_images_max},
      {"user_characters", number_of(limits.user_chars_max)},
  };
}

json::object describe_all(Services& services, const CallContext& call) {
  const auto models = allowed_models(services.painter, call);
  json::array described;
  for (const auto& model : models) described.push_back(describe_model(model));
  return {
      {"object", "capabilities"},
      {"version", services.options.version},
      {"default_model", models.empty() ? json::value(nullptr) : json::value(models.front().name)},
      {"operations", json::array{"generations", "edits", "variations", "background_removal"}},
      {"output_formats", json::array{"png", "jpeg", "webp"}},
      {"response_formats", json::array{"url", "b64_json", "data_uri"}},
      {"streaming", json::object{{"partial_images", true}, {"progress", true}}},
      {"background_removal", json::object{{"method", text_of(services.matting.name())}}},
      {"remote_image_urls", services.fetcher.is_on()},
      {"limits", describe_limits(services.limits)},
      {"models", std::move(described)},
  };
}

}  // namespace

void add_capabilities_route(http::RouteTable& routes, Services& services) {
  routes.add({.method = "GET",
              .pattern = "/v1/capabilities",
              .handler = [&services](const std::shared_ptr<http::Exchange>& exchange) {
                const auto call = read_call(*exchange, Dialect::Bifrost, Operation::Generation, {});
                exchange->respond(json_response(describe_all(services, call)));
              }});
}

}  // namespace limner::api
