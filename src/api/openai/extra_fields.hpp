// Bifrost's `extra_fields`, of answers and of stream events.
#pragma once

#include <optional>
#include <string_view>

#include "api/json_writer.hpp"
#include "api/reply_plan.hpp"

namespace limner::api::openai {

struct ExtraFields {
  std::string_view model;                        // that paints
  std::optional<std::int64_t> latency_ms = {};   // of a whole answer
  std::optional<std::int64_t> chunk_index = {};  // of a stream's event
};

void write_extra_fields(JsonWriter& json, const ReplyPlan& plan, const ExtraFields& extra);

}  // namespace limner::api::openai
