#include "api/estimate_route.hpp"

#include <algorithm>
#include <utility>

#include "api/body_policy.hpp"
#include "api/call_context.hpp"
#include "api/json_response.hpp"
#include "api/json_writer.hpp"
#include "api/picture_names.hpp"
#include "api/plan_request.hpp"
#include "api/read_body.hpp"
#include "api/read_image_request.hpp"

namespace limner::api {
namespace {

double to_seconds(std::chrono::milliseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

// Pixels of all pictures, decoded and as the engine holds them until they are files.
std::int64_t picture_bytes(const GenerationRequest& request) {
  const auto pixels = static_cast<std::int64_t>(request.size.width_px) * request.size.height_px;
  return pixels * 3 * request.image_count;
}

// Empty where there is none, or where only the pipeline knows its default (inpainting).
std::optional<double> strength_of(const GenerationRequest& request, const ServedModel& model) {
  if (request.sampling.strength || request.task != Task::ImageToImage) {
    return request.sampling.strength;
  }
  return model.traits->defaults.strength;
}

void write_painting(JsonWriter& json, const ModelPlan& plan, const ServedModel& model,
                    const PaintEstimate& estimate) {
  const auto& request = plan.generation;
  const auto& effective = estimate.effective;
  json.member("task", to_string(request.task));
  json.member("size", to_string(request.size)).member("n", request.image_count);
  json.member("quality", to_string(plan.reply.quality));
  json.member("background", background_word(plan.reply));
  json.member("output_format", codec::to_string(plan.reply.output_format));
  json.member("num_inference_steps", effective.num_inference_steps);
  json.key("guidance_scale").number(effective.guidance_scale);
  json.member("scheduler", to_string(effective.scheduler));
  json.key("strength");
  if (const auto strength = strength_of(request, model)) {
    json.number(*strength);
  } else {
    json.null();
  }
}

std::string write_estimate(const RequestPlan& plan, const ModelPlan& first,
                           const ServedModel& model, const PaintEstimate& estimate) {
  JsonWriter json;
  json.begin_object().member("object", "image.estimate").member("model", model.name);
  json.member("model_requested", first.reply.model_requested);
  write_painting(json, first, model, estimate);
  json.member("rows", estimate.rows);
  json.key("expected_wait_seconds").number(to_seconds(estimate.expected_wait));
  json.key("expected_seconds").number(to_seconds(estimate.expected_time));
  json.key("memory").begin_object();
  json.member("weights_bytes", static_cast<std::int64_t>(model.size_bytes));
  json.member("pictures_bytes", picture_bytes(first.generation)).end_object();
  json.key("usage");
  write_usage(json, usage_of(first.reply, estimate.effective));
  json.key("fallbacks").begin_array();
  for (std::size_t i = 1; i < plan.candidates.size(); ++i) {
    json.begin_object().member("model", plan.candidates[i].model);
    json.key("can_paint").boolean(static_cast<bool>(plan.candidates[i].request)).end_object();
  }
  json.end_array();
  json.key("notes").begin_array();
  for (const auto& note : first.reply.notes) json.string(note);
  for (const auto& note : estimate.effective.notes) json.string(note);
  json.end_array().end_object();
  return json.take();
}

bool has_pictures(const Fields& fields) {
  if (!fields.files.empty()) return true;
  return std::ranges::any_of(image_names(), [&](auto name) { return fields.reader.has(name); });
}

Result<std::string> estimate(Services& services, CallContext& call, const http::Request& request,
                             http::Body body) {
  auto fields = read_fields(request, std::move(body));
  if (!fields) return fields.error();
  call.model_requested = model_named_in(*fields);
  if (has_pictures(*fields)) call.operation = Operation::Edit;
  auto asked = read_image_request(fields->reader, std::move(fields->files),
                                  {.dialect = call.dialect,
                                   .operation = call.operation,
                                   .is_strict = call.is_strict || services.options.is_strict,
                                   .model_of_path = {},
                                   .limits = &services.limits});
  if (!asked) return asked.error();
  if (asked->edit_type == EditType::BackgroundRemoval) {
    return invalid_value("type", "type: background removal needs no model and has no estimate",
                         "unsupported_for_model");
  }
  auto plan = plan_request(services, call, *asked);
  if (!plan) return plan.error();
  auto model = services.painter.find(plan->first_model);
  if (!model) return model.error();
  const auto& first = plan->by_model.at(plan->first_model);
  auto estimate = services.painter.estimate(first.generation);
  if (!estimate) return estimate.error();
  return write_estimate(*plan, first, *model, *estimate);
}

void answer(Services& services, const std::shared_ptr<http::Exchange>& exchange, CallContext call,
            http::Body body) {
  auto text = estimate(services, call, exchange->request(), std::move(body));
  if (!text) return void(exchange->respond(error_response(text.error(), call.error_context())));
  exchange->respond({.status = 200,
                     .headers = {{"Content-Type", "application/json"},
                                 {"Cache-Control", "no-store"},
                                 {"x-request-id", call.request_id}},
                     .body = *std::move(text)});
}

}  // namespace

void add_estimate_route(http::RouteTable& routes, Services& services) {
  const auto handler = [&services](std::shared_ptr<http::Exchange> exchange) {
    auto call = read_call(*exchange, Dialect::Bifrost, Operation::Generation, {});
    const auto context = call.error_context();
    // Shared only because std::function wants to be copied.
    auto body = std::make_shared<http::Body>(exchange->take_body());
    const bool is_taken =
        services.workers.try_post([&services, exchange, call = std::move(call), body] {
          answer(services, exchange, call, std::move(*body));
        });
    if (!is_taken) exchange->respond(error_response(too_many_uploads(), context));
  };
  routes.add({.method = "POST",
              .pattern = "/v1/images/estimate",
              .handler = handler,
              .body = json_or_form_body(services.limits)});
}

}  // namespace limner::api
