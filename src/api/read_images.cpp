#include "api/read_images.hpp"

#include <array>

#include <fmt/format.h>

namespace limner::api {
namespace {

// Members of an object entry that hold a picture, in the order of preference.
constexpr std::array<std::string_view, 4> kTextMembers = {"image_url", "url", "image", "b64_json"};

Error bad_entry(std::string_view field, const json::value& entry) {
  return invalid_value(field,
                       fmt::format("{}: got {}, expected base64 text, a data URL or an object with "
                                   "image_url",
                                   field, describe(entry)),
                       "invalid_type");
}

// "…", {"image_url": "…"}, {"image_url": {"url": "…"}}, {"url": …}, {"image": …}, {"file_id": …}.
void add_entry(FieldReader& fields, const std::string& field, const json::value& entry,
               std::vector<ImageInput>& images) {
  if (const auto* text = entry.if_string()) {
    images.push_back({.field = field, .content = std::string(*text)});
    return;
  }
  const auto* object = entry.if_object();
  if (object == nullptr) return fields.fail(bad_entry(field, entry));
  if (object->contains("file_id") && !object->at("file_id").is_null()) {
    if (object->contains("image_url") && !object->at("image_url").is_null()) {
      return fields.fail(invalid_value(field, fmt::format("{}: has image_url and file_id, expected "
                                                          "one of the two",
                                                          field)));
    }
    return fields.fail(Error{.kind = ErrorKind::NotFound,
                             .message = fmt::format("{}: no file of that file_id", field),
                             .param = field,
                             .code = "file_not_found"});
  }
  for (const auto member : kTextMembers) {
    const auto* value = object->if_contains(member);
    if (value == nullptr || value->is_null()) continue;
    if (value->is_object()) return add_entry(fields, field, *value, images);
    if (!value->is_string()) return fields.fail(bad_entry(field, *value));
    images.push_back({.field = field, .content = std::string(value->get_string())});
    return;
  }
  fields.fail(bad_entry(field, entry));
}

void add_field(FieldReader& fields, std::string_view name, std::vector<ImageInput>& images) {
  const auto* value = fields.raw({name});
  if (value == nullptr) return;
  if (const auto* list = value->if_array()) {
    for (const auto& entry : *list) add_entry(fields, std::string(name), entry, images);
    return;
  }
  add_entry(fields, std::string(name), *value, images);
}

void read_json_images(FieldReader& fields, ImageRequest& request) {
  for (const auto name : {"image", "images", "input_image", "input_images"}) {
    add_field(fields, name, request.images);
  }
  std::vector<ImageInput> masks;
  for (const auto name : {"mask", "mask_image"}) add_field(fields, name, masks);
  if (masks.size() > 1) {
    return fields.fail(invalid_value("mask", "mask: more than one, expected one"));
  }
  if (!masks.empty()) request.mask = std::move(masks.front());
}

}  // namespace

void read_images(FieldReader& fields, std::vector<FormFile> files, const Limits& limits,
                 ImageRequest& request) {
  read_json_images(fields, request);
  for (auto& file : files) {
    if (file.name == "image") {
      request.images.push_back({.field = "image", .content = std::move(file.content)});
    } else if (file.name == "mask") {
      if (request.mask) fields.fail(invalid_value("mask", "mask: more than one, expected one"));
      request.mask = ImageInput{.field = "mask", .content = std::move(file.content)};
    } else if (file.name == "markup") {
      fields.fail(Error{.kind = ErrorKind::Unsupported,
                        .message = "markup: models here cannot use it",
                        .param = "markup"});
    } else {
      fields.fail(invalid_value(file.name,
                                fmt::format("{}: a file, expected only image and mask "
                                            "to be files",
                                            describe(json::value(file.name))),
                                "unknown_parameter"));
    }
  }
  const auto images_max = static_cast<std::size_t>(limits.images_per_edit_max);
  if (request.images.size() > images_max) {
    fields.fail(invalid_value("image", fmt::format("image: {} pictures, at most {} are allowed",
                                                   request.images.size(), images_max)));
  }
}

}  // namespace limner::api
