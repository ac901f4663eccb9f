// The JSON answer of /v1, /openai and /v3, which differ only in what they add.
#pragma once

#include <string>

#include "api/reply_plan.hpp"

namespace limner::api::openai {

std::string write_reply(const ReplyPlan& plan, const FinishedReply& reply);

}  // namespace limner::api::openai
