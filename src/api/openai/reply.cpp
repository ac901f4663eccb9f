#include "api/openai/reply.hpp"

#include "api/json_writer.hpp"
#include "api/openai/extra_fields.hpp"
#include "api/write_picture.hpp"

namespace limner::api::openai {
namespace {

void write_image(JsonWriter& json, const ReplyPlan& plan, const FinishedImage& image) {
  json.begin_object();
  write_picture(json, plan, image);
  json.optional_member("revised_prompt", plan.revised_prompt);
  if (rules_of(plan.dialect).sends_index_and_seed) {
    json.member("index", image.index);
    json.key("seed").unsigned_integer(image.seed);
  }
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
  const bool names_itself = rules_of(plan.dialect).sends_extra_fields;
  json.begin_object();
  if (names_itself) json.member("id", plan.request_id);
  json.member("created", reply.created);
  if (names_itself) json.member("model", plan.model_requested);
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
  if (plan.has_extra_fields) {
    write_extra_fields(json, plan,
                       {.model = reply.effective.model, .latency_ms = reply.latency.count()});
  }
  json.end_object();
  return json.take();
}

}  // namespace limner::api::openai
