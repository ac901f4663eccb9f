// What a client asked for, every field read and checked by itself; the model is not yet known.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/dialect.hpp"
#include "api/quality.hpp"
#include "codec/image_format.hpp"
#include "core/generation.hpp"
#include "http/part.hpp"

namespace limner::api {

// A picture as it came: the bytes of a file, or base64, a data URL or an address. Not decoded.
struct ImageInput {
  std::string field;  // for errors
  std::variant<http::PartContent, std::string> content;
};

enum class ResponseFormat { Both, Url, Base64, DataUri };
enum class Background { Auto, Opaque, Transparent };
// `type` of an edit.
enum class EditType { Auto, Inpainting, Outpainting, BackgroundRemoval };

// A field that will change nothing, and why: "there is no picture to start from".
struct IdleField {
  std::string field;
  std::string why;
};

struct ImageRequest {
  Dialect dialect = Dialect::Bifrost;
  Operation operation = Operation::Generation;

  std::string model;  // empty: absent
  Prompt prompt;      // negative texts are empty when absent
  std::optional<int> image_count;

  std::optional<ImageSize> size;  // absent: auto
  std::optional<int> width_px;
  std::optional<int> height_px;
  std::optional<std::string> aspect_ratio;

  std::optional<Quality> quality;  // absent: auto
  std::optional<std::string> style;
  Background background = Background::Auto;
  std::string moderation = "auto";
  bool has_high_input_fidelity = false;
  EditType edit_type = EditType::Auto;
  // Without a mask, the transparent part of the picture is what to repaint.
  bool repaints_hole = false;

  std::optional<std::uint64_t> seed;
  std::optional<int> num_inference_steps;
  std::optional<double> guidance_scale;
  std::optional<SchedulerKind> scheduler;
  std::optional<double> strength;
  std::optional<int> clip_skip;
  std::optional<int> max_sequence_length;
  double eta = 0;
  std::vector<AdapterRef> adapters;
  std::string adapters_field = "loras";  // that they came in

  ResponseFormat response_format = ResponseFormat::Both;
  codec::ImageFormat output_format = codec::ImageFormat::Png;
  std::optional<int> output_compression;
  bool is_streamed = false;
  int partial_images = 0;
  bool wants_progress = false;

  std::string user;  // safety_identifier, or else user
  std::vector<std::string> fallbacks;

  std::vector<ImageInput> images;
  std::optional<ImageInput> mask;

  std::vector<IdleField> idle;  // known to be so whatever the model
};

}  // namespace limner::api
