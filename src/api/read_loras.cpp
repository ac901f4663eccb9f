#include "api/read_loras.hpp"

#include <cmath>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <fmt/format.h>

namespace limner::api {
namespace {

constexpr std::size_t kNameBytesMax = 256;
constexpr std::size_t kLorasMax = 16;

// Reads one field; the first mistake is told and ends it.
class LoraReader {
 public:
  LoraReader(FieldReader& fields, std::string_view field) : fields_(fields), field_(field) {}

  void read_object(const json::object& object) {
    for (const auto& member : object) add(std::string(member.key()), member.value());
  }

  void read_list(const json::array& list) {
    for (const auto& item : list) {
      if (item.is_string()) {
        add(std::string(item.get_string()), 1.0);
      } else if (const auto* object = item.if_object()) {
        read_entry(*object);
      } else {
        refuse(item, "a name or an object with name and strength");
      }
    }
  }

  void refuse(const json::value& value, std::string_view expected) {
    fields_.fail(invalid_value(
        field_, fmt::format("{}: got {}, expected {}", field_, describe(value), expected),
        "invalid_type"));
  }

  std::vector<AdapterRef> take() { return std::move(loras_); }

 private:
  void read_entry(const json::object& entry) {
    const json::value* name = nullptr;
    json::value strength = 1.0;
    for (const auto& member : entry) {
      if (member.key() == "name") {
        name = &member.value();
      } else if (member.key() == "strength") {
        strength = member.value();
      } else {
        return refuse(json::value(member.key()), "name and strength");
      }
    }
    if (name == nullptr || !name->is_string()) {
      return refuse(name == nullptr ? json::value(nullptr) : *name, "a name");
    }
    add(std::string(name->get_string()), strength);
  }

  void add(std::string name, const json::value& strength) {
    const auto scale = number_of(strength);
    if (!scale || !std::isfinite(*scale)) return refuse(strength, "a number for each");
    if (name.empty() || name.size() > kNameBytesMax || loras_.size() == kLorasMax) {
      return fields_.fail(
          invalid_value(field_, fmt::format("{}: expected at most {} names of 1 to {} bytes",
                                            field_, kLorasMax, kNameBytesMax)));
    }
    loras_.push_back({.name = std::move(name), .scale = *scale});
  }

  // Also as text where the body is a form.
  std::optional<double> number_of(const json::value& value) const {
    if (value.is_number()) return value.to_number<double>();
    if (!value.is_string() || fields_.source() != FieldReader::Source::Text) return std::nullopt;
    const auto parsed = parse_json(value.get_string());
    if (!parsed || !parsed->is_number()) return std::nullopt;
    return parsed->to_number<double>();
  }

  FieldReader& fields_;
  const std::string_view field_;
  std::vector<AdapterRef> loras_;
};

std::vector<AdapterRef> read_field(FieldReader& fields, std::string_view field, bool takes_list) {
  const auto* given = fields.raw({field});
  if (given == nullptr) return {};
  json::value value = *given;
  if (fields.source() == FieldReader::Source::Text && value.is_string()) {
    if (auto parsed = parse_json(value.get_string())) value = *std::move(parsed);
  }
  LoraReader reader(fields, field);
  if (const auto* object = value.if_object()) {
    reader.read_object(*object);
  } else if (const auto* list = value.if_array(); list != nullptr && takes_list) {
    reader.read_list(*list);
  } else {
    reader.refuse(value, takes_list ? "a list of names and strengths" : "an object of numbers");
  }
  return reader.take();
}

}  // namespace

void read_loras(FieldReader& fields, ImageRequest& request) {
  request.adapters = read_field(fields, "loras", true);
  if (request.adapters.empty()) request.adapters_field = "lora_alphas";
  for (auto& alpha : read_field(fields, "lora_alphas", false)) {
    request.adapters.push_back(std::move(alpha));
  }
}

}  // namespace limner::api
