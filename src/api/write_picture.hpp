// The members that carry one finished picture, as `response_format` wants them.
#pragma once

#include "api/json_writer.hpp"
#include "api/reply_plan.hpp"

namespace limner::api {

// `url`, `b64_json` or both.
void write_picture(JsonWriter& json, const ReplyPlan& plan, const FinishedImage& image);

}  // namespace limner::api
