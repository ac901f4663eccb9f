#include "api/reply_plan.hpp"

namespace limner::api {

Usage usage_of(const ReplyPlan& plan, const EffectiveParams& effective) {
  return {.text_tokens = effective.text_tokens,
          .input_image_tokens = plan.input_image_tokens,
          .output_image_tokens = plan.image_count * output_image_tokens(plan.size, plan.quality)};
}

std::string_view background_word(const ReplyPlan& plan) {
  return plan.is_transparent ? "transparent" : "opaque";
}

}  // namespace limner::api
