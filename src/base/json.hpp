// JSON in and out, over Boost.JSON: strict UTF-8, a depth limit, errors with a position.
#pragma once

#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/json/value.hpp>

#include "base/result.hpp"

namespace limner {

namespace json = boost::json;

struct JsonLimits {
  std::size_t depth_max = 32;
  std::size_t values_max = 10'000;
};

// Text from a client. The error's code is "invalid_json" and its message names the byte.
Result<json::value> parse_json(std::string_view text, const JsonLimits& limits = {});

// A configuration file of at most `size_bytes_max`; Python's Infinity and NaN become the largest
// number and null. The error names the file.
Result<json::value> read_json_file(const std::filesystem::path& path,
                                   std::size_t size_bytes_max = 64 << 20);

// Members of an object with a default when absent or null; a wrong type is an error naming the key.
// `where` is a file or field name for the message.
Result<std::int64_t> get_int(const json::object& o, std::string_view key, std::int64_t fallback,
                             std::string_view where);
Result<double> get_number(const json::object& o, std::string_view key, double fallback,
                          std::string_view where);
Result<bool> get_bool(const json::object& o, std::string_view key, bool fallback,
                      std::string_view where);
Result<std::string> get_string(const json::object& o, std::string_view key,
                               std::string_view fallback, std::string_view where);

}  // namespace limner
