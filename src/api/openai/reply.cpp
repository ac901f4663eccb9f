#include "api/openai/reply.hpp"

#include <fmt/format.h>

#include "api/json_writer.hpp"

namespace limner::api::openai {
namespace {

bool sends_base64(ResponseFormat format) {
  return format == ResponseFormat::Both || format == ResponseFormat::Base64;
}

void write_image(JsonWriter& json, const ReplyPlan& plan, const FinishedImage& image) {
  json.begin_object();
  if (!image.url.empty()) json.member("url", image.url);
  if (plan.response_format == ResponseFormat::DataUri) {
    json.key("url").base64(image.file,
                           fmt::format("data:{};base64,", codec::mime_type(plan.output_format)));
  }
  if (sends_base64(plan.response_format)) json.key("b64_json").base64(image.file);
  json.optional_member("revised_prompt", plan.revised_prompt);
  if (plan.dialect != Dialect::OpenAi) {
    json.member("index", image.index);
    json.key("seed").unsigned_integer(image.seed);
  }
  json.end_object();
}

void write_extra_fields(JsonWriter& json, const ReplyPlan& plan, const FinishedReply& reply) {
  json.key("extra_fields").begin_object();
  json.member("request_type", to_string(plan.operation));
  json.member("provider", "local");
  json.member("model_requested", plan.model_requested);
  json.member("model_deployment", reply.effective.model);
  json.member("latency", reply.latency.count());
  json.member("request_id", plan.request_id);
  json.end_object();
}

std::size_t expected_bytes(const FinishedReply& reply) {
  std::size_t bytes = 1024;
  for (const auto& image : reply.images) bytes += image.file.size() / 3 * 4 + 512;
  return bytes;
}

}  // namespace

std::string write_reply(const ReplyPlan& plan, const FinishedReply& reply) {
  JsonWriter json(expected_bytes(reply));
  json.begin_object();
  if (plan.dialect == Dialect::Bifrost) json.member("id", plan.request_id);
  json.member("created", reply.created);
  if (plan.dialect == Dialect::Bifrost) json.member("model", plan.model_requested);
  json.key("data").begin_array();
  for (const auto& image : reply.images) write_image(json, plan, image);
  json.end_array();
  json.member("background", background_word(plan));
  json.member("output_format", codec::to_string(plan.output_format));
  json.member("quality", to_string(plan.quality));
  json.member("size", limner::to_string(plan.size));
  json.optional_member("safety_identifier", plan.safety_identifier);
  json.key("usage");
  write_usage(json, usage_of(plan, reply.effective));
  if (plan.has_extra_fields) write_extra_fields(json, plan, reply);
  json.end_object();
  return json.take();
}

}  // namespace limner::api::openai
