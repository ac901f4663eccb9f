// A component's config.json, read strictly: a wrong type, an option this code does not understand
// or a value it cannot honour is an error naming the key and the file. Never ignored, because an
// ignored option is a wrong picture.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace limner::models {

class ConfigReader {
 public:
  // `where` names the file in messages. The object must outlive the reader.
  ConfigReader(const json::object& config, std::string where);

  // Absent and null give the fallback. The first mistake is kept for finish().
  std::int64_t integer(std::string_view key, std::int64_t fallback);
  double number(std::string_view key, double fallback);
  bool boolean(std::string_view key, bool fallback);
  std::string string(std::string_view key, std::string_view fallback);
  std::optional<std::int64_t> optional_integer(std::string_view key);
  std::optional<std::string> optional_string(std::string_view key);
  std::optional<std::vector<double>> optional_numbers(std::string_view key);
  std::vector<std::int64_t> integers(std::string_view key, std::vector<std::int64_t> fallback);
  std::vector<std::string> strings(std::string_view key, std::vector<std::string> fallback);
  // One number for all `count` blocks, or a list with one each.
  std::vector<std::int64_t> integer_per_block(std::string_view key, std::int64_t fallback,
                                              std::size_t count);
  std::vector<bool> boolean_per_block(std::string_view key, bool fallback, std::size_t count);

  bool is_null_or_absent(std::string_view key) const;
  // Keys that cannot change a picture (training, bookkeeping of the exporter).
  void ignore(std::initializer_list<std::string_view> keys);
  // Training, generation and bookkeeping keys that transformers writes for every model.
  void ignore_transformers_bookkeeping();
  // Keys whose other values would need code that is not there.
  void require_null(std::initializer_list<std::string_view> keys);
  void require(std::string_view key, std::string_view only_value);
  void require_flag(std::string_view key, bool only_value);
  void fail(std::string_view key, std::string message);

  // The first mistake, or a key that nothing asked for. Keys that begin with "_" are metadata.
  Result<void> finish();

 private:
  const json::value* find(std::string_view key);

  const json::object& config_;
  std::string where_;
  std::set<std::string, std::less<>> known_;
  std::optional<Error> error_;
};

// The object in a component's config.json.
Result<json::object> read_config(const std::filesystem::path& file);

}  // namespace limner::models
