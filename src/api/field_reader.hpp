// The fields of one request, from JSON or from a form, read by type. The first mistake sticks: read
// everything, then look at error() once.
//
// `null` is absent, and so is "" where a text is expected. In JSON 7 and 7e0 are valid numbers, 4.0
// is an integer, "4" and "" are neither. In a form and in a query every value is text, so "4",
// "0.5" and "true" are read, and "" is absent.
#pragma once

#include <cstdint>
#include <initializer_list>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace limner::api {

struct IntRange {
  std::int64_t min = 0;
  std::int64_t max = 0;
};

struct NumberRange {
  double min = 0;
  double max = 0;
};

class FieldReader {
 public:
  enum class Source { Json, Text };
  // One field under its names, the documented one first. Two of them at once must agree.
  using Names = std::initializer_list<std::string_view>;

  FieldReader(json::object fields, Source source);
  // An object, or an error that says what came.
  static Result<FieldReader> from_json(std::string_view body);

  // Not a character more than `chars_max`, counted as Unicode code points. The error never quotes
  // the text.
  std::optional<std::string> text(Names names, std::size_t chars_max);
  std::optional<std::int64_t> integer(Names names, IntRange range);
  // 0 to 2^64 - 1; -1, by which many clients ask for a random one, is absent.
  std::optional<std::uint64_t> seed(Names names);
  std::optional<double> number(Names names, NumberRange range);
  std::optional<bool> boolean(Names names);
  // One of `allowed`, which the error lists.
  std::optional<std::string> choice(Names names, std::span<const std::string_view> allowed);
  // The value as it came, for fields with several shapes. Null when absent.
  const json::value* raw(Names names);

  bool has(std::string_view name) const;
  Source source() const { return source_; }

  // Reports a mistake that the caller found; the first one stays.
  void fail(Error error);
  const std::optional<Error>& error() const { return error_; }
  // Names that nobody asked for, in order of arrival.
  std::vector<std::string> unknown() const;
  // Names that were asked for: every field that a reader knows.
  const std::set<std::string, std::less<>>& asked() const { return asked_; }

 private:
  struct Found {
    std::string_view name;
    const json::value* value = nullptr;
  };
  enum class Empty { IsAbsent, IsWrong };  // "" in JSON
  Found find(Names names, Empty empty = Empty::IsAbsent);
  bool is_absent(const json::value& value, Empty empty) const;
  void fail_type(const Found& found, std::string_view expected);
  void fail_value(const Found& found, std::string_view expected);

  json::object fields_;
  Source source_;
  std::set<std::string, std::less<>> asked_;
  std::optional<Error> error_;
};

// What came, short and safe to print: `"banana"`, 11, an object, a string of 40000 characters.
std::string describe(const json::value& value);

Error missing_field(std::string_view name, std::string_view hint = {});

}  // namespace limner::api
