#include "api/read_images.hpp"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "api/picture_names.hpp"

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
    if (text->empty()) return;
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

Error no_markup() {
  return {.kind = ErrorKind::Unsupported,
          .message = "markup: models here cannot use it",
          .param = "markup"};
}

Error not_a_file(const std::string& name) {
  return invalid_value(
      name,
      fmt::format("{}: a file, expected only {}, {} to be files", describe(json::value(name)),
                  fmt::join(image_names(), ", "), fmt::join(mask_names(), ", ")),
      "unknown_parameter");
}

}  // namespace

void read_images(FieldReader& fields, std::vector<FormFile> files, const Limits& limits,
                 ImageRequest& request) {
  std::vector<ImageInput> masks;
  for (const auto name : image_names()) add_field(fields, name, request.images);
  for (const auto name : mask_names()) add_field(fields, name, masks);
  if (fields.raw({"markup"}) != nullptr) fields.fail(no_markup());
  for (auto& file : files) {
    const bool is_mask = is_mask_name(file.name);
    if (is_mask || is_image_name(file.name)) {
      (is_mask ? masks : request.images)
          .push_back({.field = file.name, .content = std::move(file.content)});
    } else {
      fields.fail(file.name == "markup" ? no_markup() : not_a_file(file.name));
    }
  }
  if (masks.size() > 1) fields.fail(invalid_value("mask", "mask: more than one, expected one"));
  if (!masks.empty()) request.mask = std::move(masks.front());
  const auto images_max = static_cast<std::size_t>(limits.images_per_edit_max);
  if (request.images.size() > images_max) {
    fields.fail(invalid_value("image", fmt::format("image: {} pictures, at most {} are allowed",
                                                   request.images.size(), images_max)));
  }
}

}  // namespace limner::api
