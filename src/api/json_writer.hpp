// JSON text written from left to right into one string. Pictures are appended as base64 straight
// from their bytes: no copy of them lives in a tree of values.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"

namespace limner::api {

class JsonWriter {
 public:
  explicit JsonWriter(std::size_t reserve_bytes = 512) { out_.reserve(reserve_bytes); }

  JsonWriter& begin_object();
  JsonWriter& end_object();
  JsonWriter& begin_array();
  JsonWriter& end_array();
  JsonWriter& key(std::string_view name);

  JsonWriter& string(std::string_view text);
  JsonWriter& integer(std::int64_t number);
  JsonWriter& unsigned_integer(std::uint64_t number);
  JsonWriter& number(double number);
  JsonWriter& boolean(bool value);
  JsonWriter& null();
  // `prefix` stands before the base64 text, such as "data:image/png;base64,".
  JsonWriter& base64(std::span<const std::uint8_t> bytes, std::string_view prefix = {});
  JsonWriter& value(const json::value& value);

  JsonWriter& member(std::string_view name, std::string_view text);
  JsonWriter& member(std::string_view name, std::int64_t number);
  // Only when present.
  JsonWriter& optional_member(std::string_view name, const std::optional<std::string>& text);

  std::string take() { return std::move(out_); }

 private:
  void separate();

  std::string out_;
  bool needs_comma_ = false;
};

}  // namespace limner::api
