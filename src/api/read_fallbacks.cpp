#include "api/read_fallbacks.hpp"

#include <optional>

#include <fmt/format.h>

namespace limner::api {
namespace {

constexpr std::size_t kFallbacksMax = 5;
constexpr std::size_t kNameBytesMax = 256;

std::string_view text_of(const json::object& object, std::string_view key) {
  const auto* value = object.if_contains(key);
  if (value == nullptr || !value->is_string()) return {};
  return value->get_string();
}

std::optional<std::string> read_entry(const json::value& entry) {
  std::string name;
  if (const auto* text = entry.if_string()) {
    name = std::string(*text);
  } else if (const auto* object = entry.if_object()) {
    const auto model = text_of(*object, "model");
    const auto provider = text_of(*object, "provider");
    if (model.empty()) return std::nullopt;
    name = provider.empty() ? std::string(model) : fmt::format("{}/{}", provider, model);
  }
  if (name.empty() || name.size() > kNameBytesMax) return std::nullopt;
  return name;
}

Error bad_entry(const json::value& entry) {
  return invalid_value(
      "fallbacks",
      fmt::format("fallbacks: got {}, expected \"model\", \"provider/model\" or an "
                  "object with provider and model",
                  describe(entry)),
      "invalid_type");
}

}  // namespace

std::vector<std::string> read_fallbacks(FieldReader& fields) {
  const auto* value = fields.raw({"fallbacks"});
  if (value == nullptr) return {};
  json::value list = *value;
  if (fields.source() == FieldReader::Source::Text && list.is_string()) {
    const std::string_view text = list.get_string();
    if (text.starts_with('[')) {
      auto parsed = parse_json(text);
      if (!parsed) {
        fields.fail(invalid_value("fallbacks", "fallbacks: not a JSON array"));
        return {};
      }
      list = *std::move(parsed);
    }
  }
  if (!list.is_array()) list = json::array{list};
  std::vector<std::string> names;
  for (const auto& entry : list.get_array()) {
    auto name = read_entry(entry);
    if (!name) {
      fields.fail(bad_entry(entry));
      return {};
    }
    names.push_back(*std::move(name));
  }
  if (names.size() > kFallbacksMax) {
    fields.fail(invalid_value("fallbacks", fmt::format("fallbacks: {} entries, at most {} allowed",
                                                       names.size(), kFallbacksMax)));
    return {};
  }
  return names;
}

}  // namespace limner::api
