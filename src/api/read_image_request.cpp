#include "api/read_image_request.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/read_fallbacks.hpp"
#include "api/read_images.hpp"
#include "api/read_loras.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "router/model_names.hpp"

namespace limner::api {
namespace {

using Words = std::span<const std::string_view>;

constexpr std::size_t kModelCharsMax = 256;
constexpr std::size_t kWordCharsMax = 64;

constexpr std::array<std::string_view, 2> kStyles = {"vivid", "natural"};
constexpr std::array<std::string_view, 3> kResponseFormats = {"url", "b64_json", "data_uri"};
constexpr std::array<std::string_view, 3> kBackgrounds = {"auto", "opaque", "transparent"};
constexpr std::array<std::string_view, 2> kModerations = {"auto", "low"};
constexpr std::array<std::string_view, 2> kFidelities = {"low", "high"};
constexpr std::array<std::string_view, 5> kEditTypes = {
    "inpainting", "outpainting", "background_removal", "remove_background", "remove_bg"};

std::optional<int> to_int(std::optional<std::int64_t> value) {
  if (!value) return std::nullopt;
  return static_cast<int>(*value);
}

void read_prompts(FieldReader& fields, const ReadOptions& options, ImageRequest& request) {
  const auto chars_max = options.limits->prompt_chars_max;
  request.prompt.text = fields.text({"prompt"}, chars_max).value_or("");
  request.prompt.text_2 = fields.text({"prompt_2"}, chars_max);
  request.prompt.text_3 = fields.text({"prompt_3"}, chars_max);
  request.prompt.negative = fields.text({"negative_prompt"}, chars_max).value_or("");
  request.prompt.negative_2 = fields.text({"negative_prompt_2"}, chars_max);
  request.prompt.negative_3 = fields.text({"negative_prompt_3"}, chars_max);
}

void read_size(FieldReader& fields, const ReadOptions& options, ImageRequest& request) {
  const IntRange side{1, options.limits->side_px_max};
  request.width_px = to_int(fields.integer({"width"}, side));
  request.height_px = to_int(fields.integer({"height"}, side));
  request.aspect_ratio = fields.text({"aspect_ratio"}, kWordCharsMax);
  const auto* value = fields.raw({"size"});
  if (value == nullptr) return;
  if (!value->is_string()) {
    fields.fail(invalid_value(
        "size", fmt::format("size: got {}, expected WIDTHxHEIGHT or auto", describe(*value)),
        "invalid_type"));
    return;
  }
  const std::string_view text = value->get_string();
  if (trim(text) == "auto") return;
  request.size = parse_image_size(text);
  if (!request.size) {
    fields.fail(invalid_value(
        "size", fmt::format("size: got {}, expected WIDTHxHEIGHT or auto", describe(*value))));
    return;
  }
  const bool differs = (request.width_px && *request.width_px != request.size->width_px) ||
                       (request.height_px && *request.height_px != request.size->height_px);
  if (differs) {
    fields.fail(invalid_value(
        "size", fmt::format("size: got {}, but width or height says otherwise; send one of the two",
                            describe(*value))));
  }
}

void read_sampling(FieldReader& fields, const ReadOptions& options, ImageRequest& request) {
  const IntRange steps{1, options.limits->steps_max};
  request.seed = fields.seed({"seed", "rng_seed"});
  request.num_inference_steps =
      to_int(fields.integer({"num_inference_steps", "num_steps", "steps"}, steps));
  request.guidance_scale = fields.number({"guidance_scale", "cfg_scale", "guidance"}, {0, 100});
  request.strength = fields.number({"strength", "denoising_strength"}, {0, 1});
  request.clip_skip = to_int(fields.integer({"clip_skip"}, {0, 24}));
  request.max_sequence_length = to_int(fields.integer({"max_sequence_length"}, {1, 512}));
  request.eta = fields.number({"eta"}, {0, 1}).value_or(0);
  const auto names = scheduler_names();
  if (const auto name = fields.choice({"scheduler", "sampler"}, Words(names))) {
    request.scheduler = parse_scheduler_kind(*name);
  }
}

void read_look(FieldReader& fields, ImageRequest& request) {
  if (const auto word = fields.choice({"quality"}, quality_words())) {
    request.quality = parse_quality(*word);
  }
  request.style = fields.choice({"style"}, kStyles);
  request.moderation = fields.choice({"moderation"}, kModerations).value_or("auto");
  if (const auto word = fields.choice({"background"}, kBackgrounds)) {
    if (*word == "opaque") request.background = Background::Opaque;
    if (*word == "transparent") request.background = Background::Transparent;
  }
  if (const auto word = fields.choice({"input_fidelity"}, kFidelities)) {
    request.has_high_input_fidelity = *word == "high";
    if (request.operation == Operation::Generation) {
      request.idle.push_back({"input_fidelity", "there is no picture to be true to"});
    }
  }
  constexpr std::array<std::string_view, 3> kComplexities = {"low", "medium", "high"};
  if (fields.choice({"complexity"}, kComplexities)) {
    request.idle.push_back({"complexity", "prompts are not rewritten here"});
  }
}

void read_edit_type(FieldReader& fields, ImageRequest& request) {
  const auto word = fields.choice({"type"}, kEditTypes);
  if (!word) return;
  if (*word == "inpainting") {
    request.edit_type = EditType::Inpainting;
  } else if (*word == "outpainting") {
    request.edit_type = EditType::Outpainting;
  } else {
    request.edit_type = EditType::BackgroundRemoval;
  }
}

// OpenAI: without a mask, dall-e-2 repaints the transparent part; later models all of the picture.
bool repaints_hole(const ImageRequest& request) {
  switch (request.edit_type) {
    case EditType::Inpainting:
    case EditType::Outpainting:
      return true;
    case EditType::BackgroundRemoval:
      return false;
    case EditType::Auto:
      return request.operation == Operation::Edit &&
             router::without_providers(request.model) == "dall-e-2";
  }
  return false;
}

// Formats that other servers have and we do not, so that the error says more than "not one of".
void read_output_format(FieldReader& fields, ImageRequest& request) {
  const auto word = fields.text({"output_format"}, kWordCharsMax);
  if (!word) return;
  const auto format = codec::parse_image_format(*word);
  if (!format) {
    const bool is_known = *word == "gif" || *word == "svg" || *word == "tiff";
    fields.fail(
        invalid_value("output_format",
                      fmt::format("output_format: got {}{}, expected one of png, jpeg, webp",
                                  describe(json::value(*word)),
                                  is_known ? ", which models here cannot make" : ""),
                      is_known ? "unsupported_for_model" : "invalid_value"));
    return;
  }
  request.output_format = *format;
}

// Absent: both url and b64_json, since half of today's clients read only the one. But OpenAI never
// sends a url for these names, and some of their clients prefer one that they then refuse to fetch.
ResponseFormat default_response_format(const ReadOptions& options, const ImageRequest& request) {
  const bool is_never_url = router::is_gpt_image(router::without_providers(request.model));
  return rules_of(options.dialect).sends_url_by_default && !is_never_url ? ResponseFormat::Both
                                                                         : ResponseFormat::Base64;
}

void read_stream(FieldReader& fields, const ReadOptions& options, ImageRequest& request) {
  request.is_streamed = fields.boolean({"stream"}).value_or(false);
  request.partial_images =
      to_int(fields.integer({"partial_images"}, {0, options.limits->partial_images_max}))
          .value_or(0);
  if (request.partial_images > 0 && !request.is_streamed) {
    request.idle.push_back({"partial_images", "only a stream has previews"});
    request.partial_images = 0;
  }
  request.wants_progress = fields.boolean({"limner_progress"}).value_or(false);
}

void read_output(FieldReader& fields, const ReadOptions& options, ImageRequest& request) {
  read_stream(fields, options, request);
  request.response_format = default_response_format(options, request);
  if (const auto word = fields.choice({"response_format"}, kResponseFormats)) {
    if (*word == "url") request.response_format = ResponseFormat::Url;
    if (*word == "b64_json") request.response_format = ResponseFormat::Base64;
    if (*word == "data_uri") request.response_format = ResponseFormat::DataUri;
    if (request.is_streamed && *word != "b64_json") {
      request.idle.push_back({"response_format", "a stream sends b64_json"});
    }
  }
  read_output_format(fields, request);
  request.output_compression = to_int(fields.integer({"output_compression"}, {0, 100}));
  const auto user_chars_max = options.limits->user_chars_max;
  request.user = fields.text({"user"}, user_chars_max).value_or("");
  if (auto identifier = fields.text({"safety_identifier"}, user_chars_max)) {
    request.user = *std::move(identifier);
  }
  for (const auto name : {"frame_count", "frame_duration_ms", "svg"}) {
    if (fields.raw({name}) == nullptr) continue;
    fields.fail(invalid_value(name,
                              fmt::format("{}: only for gif and svg, which models here "
                                          "cannot make",
                                          name),
                              "unsupported_for_model"));
  }
}

// It is done without a model: what would need one is refused, not skipped.
std::optional<Error> check_background_removal(const ImageRequest& request) {
  if (request.image_count.value_or(1) > 1) {
    return invalid_value("n", "n: background removal makes one picture");
  }
  if (request.images.size() > 1) {
    return invalid_value("image", fmt::format("image: {} pictures, background removal takes one",
                                              request.images.size()));
  }
  if (request.mask) return invalid_value("mask", "mask: background removal finds its own");
  if (request.size || request.width_px || request.height_px || request.aspect_ratio) {
    return invalid_value("size", "size: background removal keeps the picture's own");
  }
  if (request.background == Background::Opaque) {
    return invalid_value("background", "background: got \"opaque\", but type removes it");
  }
  return std::nullopt;
}

std::optional<Error> check_operation(const ImageRequest& request, const ReadOptions& options) {
  const bool needs_prompt =
      request.operation != Operation::Variation && request.edit_type != EditType::BackgroundRemoval;
  if (needs_prompt && request.prompt.text.empty()) {
    return missing_field("prompt", "a description of the picture");
  }
  if (request.operation != Operation::Generation && request.images.empty()) {
    return missing_field("image", "the picture to start from");
  }
  if (request.edit_type != EditType::Auto && request.images.empty()) {
    return missing_field("image", "the picture that type is about");
  }
  if (request.mask && request.images.empty()) {
    return missing_field("image", "the picture that the mask belongs to");
  }
  if (request.edit_type == EditType::BackgroundRemoval) {
    if (auto error = check_background_removal(request)) return error;
  }
  if (request.strength && request.images.empty() &&
      rules_of(options.dialect).refuses_idle_strength) {
    return invalid_value("strength", "strength: needs a picture to start from");
  }
  if (request.operation == Operation::Variation && request.is_streamed) {
    return invalid_value("stream", "stream: variations cannot be streamed");
  }
  const bool is_png = request.output_format == codec::ImageFormat::Png;
  if (request.output_compression && *request.output_compression < 100 && is_png) {
    return invalid_value("output_compression",
                         "output_compression: only for output_format jpeg and webp");
  }
  const bool is_transparent = request.background == Background::Transparent ||
                              request.edit_type == EditType::BackgroundRemoval;
  if (is_transparent && request.output_format == codec::ImageFormat::Jpeg) {
    return invalid_value("output_format",
                         "output_format: jpeg has no transparency; expected png or webp");
  }
  return std::nullopt;
}

std::string shortened(const std::string& name) {
  std::string text(first_code_points(name, kWordCharsMax));
  if (text.size() < name.size()) text += "…";
  return text;
}

// Refused by the first one's name, or left out and told.
std::optional<Error> check_unknown(const FieldReader& fields, const ReadOptions& options,
                                   ImageRequest& request) {
  constexpr std::size_t kToldMax = 8;
  const auto unknown = fields.unknown();
  if (unknown.empty()) return std::nullopt;
  if (options.is_strict || rules_of(options.dialect).refuses_unknown_fields) {
    const auto name = shortened(unknown.front());
    return invalid_value(name, fmt::format("{}: unknown parameter", name), "unknown_parameter");
  }
  for (const auto& name : std::span(unknown).first(std::min(unknown.size(), kToldMax))) {
    request.idle.push_back({shortened(name), "unknown here"});
  }
  if (unknown.size() > kToldMax) {
    request.idle.push_back(
        {fmt::format("{} more fields", unknown.size() - kToldMax), "unknown here"});
  }
  return std::nullopt;
}

}  // namespace

Result<ImageRequest> read_image_request(FieldReader& fields, std::vector<FormFile> files,
                                        const ReadOptions& options) {
  ImageRequest request;
  request.dialect = options.dialect;
  request.operation = options.operation;
  request.model = fields.text({"model"}, kModelCharsMax).value_or("");
  if (!options.model_of_path.empty()) request.model = options.model_of_path;
  read_prompts(fields, options, request);
  request.image_count =
      to_int(fields.integer({"n", "num_images_per_prompt", "num_images", "batch_size"},
                            {1, options.limits->images_per_request_max}));
  read_size(fields, options, request);
  read_look(fields, request);
  read_edit_type(fields, request);
  request.repaints_hole = repaints_hole(request);
  read_sampling(fields, options, request);
  read_loras(fields, request);
  read_output(fields, options, request);
  request.fallbacks = read_fallbacks(fields);
  read_images(fields, std::move(files), *options.limits, request);
  if (fields.error()) return *fields.error();
  if (auto error = check_operation(request, options)) return *std::move(error);
  if (auto error = check_unknown(fields, options, request)) return *std::move(error);
  return request;
}

}  // namespace limner::api
