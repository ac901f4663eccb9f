#include "api/openai/stream_events.hpp"

#include <fmt/format.h>

#include "api/json_writer.hpp"
#include "api/openai/extra_fields.hpp"
#include "http/sse.hpp"

namespace limner::api::openai {
namespace {

void write_look(JsonWriter& json, const ReplyPlan& plan, ImageSize size) {
  json.member("size", limner::to_string(size));
  json.member("quality", to_string(plan.quality));
  json.member("background", background_word(plan));
  json.member("output_format", codec::to_string(plan.output_format));
}

// Bifrost's members beside OpenAI's.
void write_identity(JsonWriter& json, const ReplyPlan& plan) {
  if (!rules_of(plan.dialect).sends_extra_fields) return;
  json.member("id", plan.request_id).member("model", plan.model_requested);
}

}  // namespace

std::string StreamEvents::name(std::string_view what) const {
  // Variations are never streamed, so these two prefixes are all.
  return fmt::format("{}.{}",
                     plan_.operation == Operation::Edit ? "image_edit" : "image_generation", what);
}

std::string StreamEvents::partial_image(int image_index, int partial_index, ImageSize size,
                                        std::span<const std::uint8_t> file,
                                        std::int64_t created_at) {
  const auto type = name("partial_image");
  JsonWriter json(file.size() / 3 * 4 + 512);
  const int number = sequence_number_++;
  json.begin_object().member("type", type).member("sequence_number", number);
  write_identity(json, plan_);
  json.member("partial_image_index", partial_index).member("index", image_index);
  json.key("b64_json").base64(file);
  json.member("created_at", created_at);
  write_look(json, plan_, size);
  if (plan_.has_extra_fields) {
    write_extra_fields(json, plan_, {.model = plan_.model, .chunk_index = number});
  }
  json.end_object();
  return http::sse_event(type, json.take());
}

std::string StreamEvents::completed(const ReplyPlan& plan, const FinishedImage& image,
                                    const EffectiveParams& effective, std::int64_t created_at) {
  const auto type = name("completed");
  JsonWriter json(image.file.size() / 3 * 4 + 1024);
  const int number = sequence_number_++;
  json.begin_object().member("type", type).member("sequence_number", number);
  write_identity(json, plan);
  json.member("index", image.index);
  if (rules_of(plan.dialect).sends_index_and_seed) json.key("seed").unsigned_integer(image.seed);
  json.key("b64_json").base64(image.file);
  json.member("created_at", created_at);
  write_look(json, plan, plan.size);
  json.optional_member("revised_prompt", plan.revised_prompt);
  json.optional_member("safety_identifier", plan.safety_identifier);
  json.key("usage");
  write_usage(json, share_of(usage_of(plan, effective), image.index, plan.image_count));
  if (plan.has_extra_fields) {
    write_extra_fields(json, plan, {.model = effective.model, .chunk_index = number});
  }
  json.end_object();
  return http::sse_event(type, json.take());
}

std::string StreamEvents::error(const Error& error, std::int64_t created_at) {
  JsonWriter json;
  json.begin_object().member("type", "error").member("sequence_number", sequence_number_++);
  json.member("created_at", created_at);
  const auto body = error_body(error, {.dialect = plan_.dialect,
                                       .operation = plan_.operation,
                                       .request_id = plan_.request_id,
                                       .model_requested = plan_.model_requested});
  json.key("error").value(body.at("error"));
  for (const auto name : {"is_bifrost_error", "status_code", "extra_fields"}) {
    if (const auto* member = body.if_contains(name)) json.key(name).value(*member);
  }
  json.end_object();
  return http::sse_event("error", json.take());
}

std::string StreamEvents::queued(const event::Queued& queued, std::int64_t created_at) {
  const auto type = name("queued");
  JsonWriter json;
  json.begin_object().member("type", type).member("sequence_number", sequence_number_++);
  json.member("created_at", created_at).member("position", queued.position);
  json.key("expected_seconds").number(static_cast<double>(queued.expected_wait.count()) / 1000);
  if (queued.loading) json.key("loading").value(loading_object(*queued.loading));
  json.end_object();
  return http::sse_event(type, json.take());
}

std::string StreamEvents::progress(const event::Progress& progress, std::int64_t created_at) {
  const auto type = name("progress");
  JsonWriter json;
  json.begin_object().member("type", type).member("sequence_number", sequence_number_++);
  json.member("created_at", created_at).member("step", progress.step);
  json.member("step_count", progress.step_count).end_object();
  return http::sse_event(type, json.take());
}

}  // namespace limner::api::openai
