#include "api/json_writer.hpp"

#include <fmt/format.h>

#include "base/base64.hpp"

namespace limner::api {

void JsonWriter::separate() {
  if (needs_comma_) out_ += ',';
  needs_comma_ = true;
}

JsonWriter& JsonWriter::begin_object() {
  separate();
  out_ += '{';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_object() {
  out_ += '}';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::begin_array() {
  separate();
  out_ += '[';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::end_array() {
  out_ += ']';
  needs_comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  string(name);
  out_ += ':';
  needs_comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::string(std::string_view text) {
  separate();
  out_ += json::serialize(json::string_view(text.data(), text.size()));
  return *this;
}

JsonWriter& JsonWriter::integer(std::int64_t number) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::unsigned_integer(std::uint64_t number) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::number(double number) {
  separate();
  fmt::format_to(std::back_inserter(out_), "{}", number);
  return *this;
}

JsonWriter& JsonWriter::boolean(bool value) {
  separate();
  out_ += value ? "true" : "false";
  return *this;
}

JsonWriter& JsonWriter::null() {
  separate();
  out_ += "null";
  return *this;
}

JsonWriter& JsonWriter::base64(std::span<const std::uint8_t> bytes, std::string_view prefix) {
  separate();
  out_.reserve(out_.size() + prefix.size() + base64_size(bytes.size()) + 64);
  out_ += '"';
  out_ += prefix;
  append_base64(out_, bytes);
  out_ += '"';
  return *this;
}

// Not json::serialize, which writes 7.5 as 7.5E0.
JsonWriter& JsonWriter::value(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return null();
    case json::kind::bool_:
      return boolean(value.get_bool());
    case json::kind::int64:
      return integer(value.get_int64());
    case json::kind::uint64:
      return unsigned_integer(value.get_uint64());
    case json::kind::double_:
      return number(value.get_double());
    case json::kind::string:
      return string(value.get_string());
    case json::kind::array:
      begin_array();
      for (const auto& element : value.get_array()) this->value(element);
      return end_array();
    case json::kind::object:
      begin_object();
      for (const auto& member : value.get_object()) key(member.key()).value(member.value());
      return end_object();
  }
  return *this;
}

JsonWriter& JsonWriter::optional_member(std::string_view name,
                                        const std::optional<std::string>& text) {
  if (!text) return *this;
  return key(name).string(*text);
}

JsonWriter& JsonWriter::member(std::string_view name, std::string_view text) {
  return key(name).string(text);
}

JsonWriter& JsonWriter::member(std::string_view name, std::int64_t number) {
  return key(name).integer(number);
}

}  // namespace limner::api
