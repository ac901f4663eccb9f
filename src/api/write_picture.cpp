#include "api/write_picture.hpp"

#include <fmt/format.h>

namespace limner::api {

void write_picture(JsonWriter& json, const ReplyPlan& plan, const FinishedImage& image) {
  const auto format = plan.response_format;
  if (!image.url.empty()) json.member("url", image.url);
  if (format == ResponseFormat::DataUri) {
    json.key("url").base64(image.file,
                           fmt::format("data:{};base64,", codec::mime_type(plan.output_format)));
  }
  if (format == ResponseFormat::Both || format == ResponseFormat::Base64) {
    json.key("b64_json").base64(image.file);
  }
}

}  // namespace limner::api
