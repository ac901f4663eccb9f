// The JSON answer of Nebula's path.
#pragma once

#include <string>

#include "api/reply_plan.hpp"

namespace limner::api::nebula {

std::string write_reply(const ReplyPlan& plan, const FinishedReply& reply);

}  // namespace limner::api::nebula
