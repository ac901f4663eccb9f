#include "api/field_reader.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"
#include "base/utf8.hpp"

namespace limner::api {
namespace {

// 2^63 and more do not fit; the largest double below does.
std::optional<std::int64_t> whole(double value) {
  if (!std::isfinite(value) || std::floor(value) != value) return std::nullopt;
  if (value < -9223372036854775808.0 || value >= 9223372036854775808.0) return std::nullopt;
  return static_cast<std::int64_t>(value);
}

std::optional<std::int64_t> integer_of(const json::value& value, FieldReader::Source source) {
  if (value.is_int64()) return value.get_int64();
  if (value.is_uint64()) {
    // Too large for any range that callers ask for; clamped so that the range check refuses it.
    return std::numeric_limits<std::int64_t>::max();
  }
  if (value.is_double()) return whole(value.get_double());
  if (value.is_string() && source == FieldReader::Source::Text) {
    const std::string_view text = value.get_string();
    if (const auto exact = parse_number<std::int64_t>(text)) return exact;
    if (const auto number = parse_number<double>(text)) return whole(*number);
  }
  return std::nullopt;
}

bool same(const json::value& a, const json::value& b) {
  if (a.is_number() && b.is_number()) return a.to_number<double>() == b.to_number<double>();
  return a == b;
}

std::string_view type_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "a value";
}

}  // namespace

std::string describe(const json::value& value) {
  constexpr std::size_t kQuotedCharsMax = 40;
  if (value.is_string()) {
    const std::string_view text = value.get_string();
    const auto chars = count_code_points(text);
    if (chars > kQuotedCharsMax) return fmt::format("a string of {} characters", chars);
    return json::serialize(value);
  }
  if (value.is_double()) return fmt::format("{}", value.get_double());
  if (value.is_number() || value.is_bool()) return json::serialize(value);
  return std::string(type_name(value));
}

Error missing_field(std::string_view name, std::string_view hint) {
  return invalid_value(name, fmt::format("{}: required{}{}", name, hint.empty() ? "" : ", ", hint),
                       "missing_required_parameter");
}

FieldReader::FieldReader(json::object fields, Source source)
    : fields_(std::move(fields)), source_(source) {}

Result<FieldReader> FieldReader::from_json(std::string_view body) {
  if (body.find_first_not_of(" \t\r\n") == body.npos) {
    return invalid_value("", "the body is empty, expected a JSON object", "invalid_json");
  }
  auto value = parse_json(body);
  if (!value) return std::move(value).error();
  auto* object = value->if_object();
  if (object == nullptr) {
    return invalid_value("",
                         fmt::format("the body is {}, expected a JSON object", type_name(*value)),
                         "invalid_json");
  }
  return FieldReader(std::move(*object), Source::Json);
}

bool FieldReader::is_absent(const json::value& value, Empty empty) const {
  if (value.is_null()) return true;
  if (!value.is_string() || !value.get_string().empty()) return false;
  return source_ == Source::Text || empty == Empty::IsAbsent;
}

bool FieldReader::has(std::string_view name) const {
  const auto* value = fields_.if_contains(name);
  return value != nullptr && !is_absent(*value, Empty::IsAbsent);
}

FieldReader::Found FieldReader::find(Names names, Empty empty) {
  Found found;
  for (const auto name : names) {
    asked_.emplace(name);
    const auto* value = fields_.if_contains(name);
    if (value == nullptr || is_absent(*value, empty)) continue;
    if (found.value == nullptr) {
      found = {.name = name, .value = value};
    } else if (!same(*found.value, *value)) {
      fail(invalid_value(name,
                         fmt::format("{}: got {}, but {} is {}; both mean the same, send one", name,
                                     describe(*value), found.name, describe(*found.value))));
    }
  }
  return found;
}

void FieldReader::fail(Error error) {
  if (!error_) error_ = std::move(error);
}

void FieldReader::fail_type(const Found& found, std::string_view expected) {
  if (source_ == Source::Text && found.value->is_array()) {
    return fail(invalid_value(found.name,
                              fmt::format("{}: {} values, expected {}", found.name,
                                          found.value->get_array().size(), expected),
                              "invalid_type"));
  }
  fail(invalid_value(
      found.name,
      fmt::format("{}: got {}, expected {}", found.name, describe(*found.value), expected),
      "invalid_type"));
}

void FieldReader::fail_value(const Found& found, std::string_view expected) {
  fail(invalid_value(found.name, fmt::format("{}: got {}, expected {}", found.name,
                                             describe(*found.value), expected)));
}

std::optional<std::string> FieldReader::text(Names names, std::size_t chars_max) {
  const auto found = find(names);
  if (found.value == nullptr) return std::nullopt;
  if (!found.value->is_string()) {
    fail_type(found, "a string");
    return std::nullopt;
  }
  const std::string_view text = found.value->get_string();
  if (!is_valid_utf8(text)) {
    fail(invalid_value(found.name, fmt::format("{}: not valid UTF-8", found.name)));
    return std::nullopt;
  }
  // Code points are never more than bytes, so short texts need no counting.
  if (text.size() > chars_max) {
    const auto chars = count_code_points(text);
    if (chars > chars_max) {
      fail(invalid_value(found.name, fmt::format("{}: {} characters, at most {} are allowed",
                                                 found.name, chars, chars_max)));
      return std::nullopt;
    }
  }
  return std::string(text);
}

std::optional<std::int64_t> FieldReader::integer(Names names, IntRange range) {
  const auto found = find(names, Empty::IsWrong);
  if (found.value == nullptr) return std::nullopt;
  const auto expected = fmt::format("an integer from {} to {}", range.min, range.max);
  const auto value = integer_of(*found.value, source_);
  if (!value) {
    fail_type(found, expected);
    return std::nullopt;
  }
  if (*value < range.min || *value > range.max) {
    fail_value(found, expected);
    return std::nullopt;
  }
  return value;
}

std::optional<std::uint64_t> FieldReader::seed(Names names) {
  const auto found = find(names, Empty::IsWrong);
  if (found.value == nullptr) return std::nullopt;
  if (found.value->is_uint64()) return found.value->get_uint64();
  if (found.value->is_string() && source_ == Source::Text) {
    const std::string_view text = found.value->get_string();
    if (const auto value = parse_number<std::uint64_t>(text)) return value;
  }
  constexpr std::string_view kExpected = "an integer from 0 to 2^64 - 1, or -1 for a random one";
  const auto value = integer_of(*found.value, source_);
  if (!value) {
    fail_type(found, kExpected);
    return std::nullopt;
  }
  if (*value == -1) return std::nullopt;
  if (*value < 0) {
    fail_value(found, kExpected);
    return std::nullopt;
  }
  return static_cast<std::uint64_t>(*value);
}

std::optional<double> FieldReader::number(Names names, NumberRange range) {
  const auto found = find(names, Empty::IsWrong);
  if (found.value == nullptr) return std::nullopt;
  const auto expected = fmt::format("a number from {} to {}", range.min, range.max);
  std::optional<double> value;
  if (found.value->is_number()) value = found.value->to_number<double>();
  if (found.value->is_string() && source_ == Source::Text) {
    value = parse_number<double>(found.value->get_string());
  }
  if (!value) {
    fail_type(found, expected);
    return std::nullopt;
  }
  if (!std::isfinite(*value) || *value < range.min || *value > range.max) {
    fail_value(found, expected);
    return std::nullopt;
  }
  return value;
}

std::optional<bool> FieldReader::boolean(Names names) {
  const auto found = find(names, Empty::IsWrong);
  if (found.value == nullptr) return std::nullopt;
  if (found.value->is_bool()) return found.value->get_bool();
  if (found.value->is_string() && source_ == Source::Text) {
    const std::string_view text = found.value->get_string();
    if (text == "true" || text == "True" || text == "1") return true;
    if (text == "false" || text == "False" || text == "0") return false;
  }
  fail_type(found, "true or false");
  return std::nullopt;
}

std::optional<std::string> FieldReader::choice(Names names,
                                               std::span<const std::string_view> allowed) {
  const auto found = find(names);
  if (found.value == nullptr) return std::nullopt;
  const auto expected = fmt::format("one of {}", fmt::join(allowed, ", "));
  if (!found.value->is_string()) {
    fail_type(found, expected);
    return std::nullopt;
  }
  const std::string_view text = found.value->get_string();
  if (!is_valid_utf8(text)) {
    fail(invalid_value(found.name, fmt::format("{}: not valid UTF-8", found.name)));
    return std::nullopt;
  }
  if (std::ranges::find(allowed, text) == allowed.end()) {
    fail_value(found, expected);
    return std::nullopt;
  }
  return std::string(text);
}

const json::value* FieldReader::raw(Names names) {
  return find(names).value;
}

std::vector<std::string> FieldReader::unknown() const {
  std::vector<std::string> names;
  for (const auto& member : fields_) {
    if (!asked_.contains(member.key())) names.emplace_back(member.key());
  }
  return names;
}

}  // namespace limner::api
