#include "api/openai/extra_fields.hpp"

#include <fmt/format.h>

namespace limner::api::openai {

void write_extra_fields(JsonWriter& json, const ReplyPlan& plan, const ExtraFields& extra) {
  json.key("extra_fields").begin_object();
  json.member("request_type",
              fmt::format("{}{}", to_string(plan.operation), extra.chunk_index ? "_stream" : ""));
  json.member("provider", "local");
  json.member("model_requested", plan.model_requested);
  json.member("model_deployment", extra.model);
  if (extra.latency_ms) json.member("latency", *extra.latency_ms);
  if (extra.chunk_index) json.member("chunk_index", *extra.chunk_index);
  json.member("request_id", plan.request_id);
  json.end_object();
}

}  // namespace limner::api::openai
