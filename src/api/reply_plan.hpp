// What an answer will print, as far as it is known before the first step.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "api/image_request.hpp"
#include "api/resolve.hpp"
#include "api/usage.hpp"
#include "core/generation.hpp"

namespace limner::api {

struct ReplyPlan {
  Dialect dialect = Dialect::Bifrost;
  Operation operation = Operation::Generation;
  std::string request_id;
  std::string model_requested;  // as sent, or the default's name
  std::string model;            // that is to paint it
  bool has_extra_fields = false;

  ResponseFormat response_format = ResponseFormat::Both;
  codec::ImageFormat output_format = codec::ImageFormat::Png;
  int output_compression = 100;
  bool is_transparent = false;
  Quality quality = Quality::Medium;
  ImageSize size;
  int image_count = 1;
  std::optional<std::string> revised_prompt;
  std::optional<std::string> safety_identifier;
  std::int64_t input_image_tokens = 0;
  std::vector<std::string> notes;
};

// One picture as a file.
struct FinishedImage {
  int index = 0;
  std::uint64_t seed = 0;
  std::vector<std::uint8_t> file;
  std::string blob_id = {};  // empty unless it is kept
  std::string url = {};      // of the same
};

struct FinishedReply {
  std::vector<FinishedImage> images;
  EffectiveParams effective;
  Timings timings;
  std::chrono::milliseconds latency{0};
  std::int64_t created = 0;  // seconds since 1970
  // Why there are no urls, where the client did not insist on them.
  std::optional<Error> not_kept = std::nullopt;
};

// Of the whole request.
Usage usage_of(const ReplyPlan& plan, const EffectiveParams& effective);

// "opaque" or "transparent", never auto.
std::string_view background_word(const ReplyPlan& plan);

}  // namespace limner::api
