#include "base/json.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include <boost/json/stream_parser.hpp>
#include <fmt/format.h>

#include "base/files.hpp"

namespace limner {
namespace {

std::size_t count_values(const json::value& value) {
  std::size_t count = 1;
  if (const auto* object = value.if_object()) {
    for (const auto& member : *object) count += count_values(member.value());
  } else if (const auto* array = value.if_array()) {
    for (const auto& element : *array) count += count_values(element);
  }
  return count;
}

Result<json::value> parse(std::string_view text, std::size_t depth_max) {
  json::parse_options options;
  options.max_depth = depth_max;
  json::stream_parser parser({}, options);
  boost::system::error_code ec;
  const std::size_t consumed = parser.write_some(text.data(), text.size(), ec);
  if (!ec && consumed < text.size() && text.find_first_not_of(" \t\r\n", consumed) != text.npos) {
    ec = json::make_error_code(json::error::extra_data);
  }
  if (!ec) parser.finish(ec);
  if (ec) {
    return invalid_value("", fmt::format("not JSON: {} at byte {}", ec.message(), consumed),
                         "invalid_json");
  }
  return parser.release();
}

// Python writes Infinity and NaN, which JSON has not: diffusers' scheduler_config.json carries
// "lambda_min_clipped": -Infinity. The largest double stands for the first, null for the second.
std::string with_finite_numbers(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"Infinity", "1.7976931348623157e308"}, {"NaN", "null"}};
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      out.append(text.substr(i, 2));
      i += 2;
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    const auto* word =
        in_string ? std::end(kWords) : std::ranges::find_if(kWords, [&](const auto& w) {
          return text.substr(i).starts_with(w.first);
        });
    if (word != std::end(kWords)) {
      out += word->second;
      i += word->first.size();
    } else {
      out += text[i++];
    }
  }
  return out;
}

Error wrong_type(std::string_view where, std::string_view key, std::string_view expected) {
  return invalid_value(key, fmt::format("{}: {} must be {}", where, key, expected), "invalid_type");
}

const json::value* find(const json::object& o, std::string_view key) {
  const auto* value = o.if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits) {
  auto value = parse(text, limits.depth_max);
  if (value && count_values(*value) > limits.values_max) {
    return invalid_value("", fmt::format("JSON has more than {} values", limits.values_max),
                         "invalid_json");
  }
  return value;
}

Result<json::value> read_json_file(const std::filesystem::path& path, std::size_t size_bytes_max) {
  auto text = read_file(path, size_bytes_max);
  if (!text) return text.error();
  auto value = parse(with_finite_numbers(*text), 256);
  if (!value) return invalid_value("", fmt::format("{}: {}", path.string(), value.error().message));
  return value;
}

Result<std::int64_t> get_int(const json::object& o, std::string_view key, std::int64_t fallback,
                             std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return fallback;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double() && std::floor(value->get_double()) == value->get_double() &&
      std::abs(value->get_double()) < 9e15) {
    return static_cast<std::int64_t>(value->get_double());
  }
  return wrong_type(where, key, "an integer");
}

Result<double> get_number(const json::object& o, std::string_view key, double fallback,
                          std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return fallback;
  if (value->is_number()) return value->to_number<double>();
  return wrong_type(where, key, "a number");
}

Result<bool> get_bool(const json::object& o, std::string_view key, bool fallback,
                      std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return fallback;
  if (value->is_bool()) return value->get_bool();
  return wrong_type(where, key, "true or false");
}

Result<std::string> get_string(const json::object& o, std::string_view key,
                               std::string_view fallback, std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return std::string(fallback);
  if (value->is_string()) return std::string(value->get_string());
  return wrong_type(where, key, "a string");
}

}  // namespace limner
