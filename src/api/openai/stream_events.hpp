// Server-sent events of the images API, member by member in OpenAI's order.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

#include "api/error_body.hpp"
#include "api/reply_plan.hpp"

namespace limner::api::openai {

// One stream: counts its events.
class StreamEvents {
 public:
  // `plan` is that of the model tried first.
  explicit StreamEvents(ReplyPlan plan) : plan_(std::move(plan)) {}

  // Each returns a whole event, ready to be sent.
  std::string partial_image(int image_index, int partial_index, ImageSize size,
                            std::span<const std::uint8_t> file, std::int64_t created_at);
  // With this picture's share of the usage. `plan` is that of the model that painted.
  std::string completed(const ReplyPlan& plan, const FinishedImage& image,
                        const EffectiveParams& effective, std::int64_t created_at);
  std::string error(const Error& error, std::int64_t created_at);
  // Only for clients that asked: they are not part of OpenAI's API.
  std::string queued(const event::Queued& queued, std::int64_t created_at);
  std::string progress(const event::Progress& progress, std::int64_t created_at);

  int count() const { return sequence_number_; }

 private:
  std::string name(std::string_view what) const;

  const ReplyPlan plan_;
  int sequence_number_ = 0;
};

}  // namespace limner::api::openai
