// Reading a scheduler class's options from the keys that a scheduler_config.json lists.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"

namespace limner::schedulers {

// A word of the file and the value it stands for.
template <typename E>
using Choice = std::pair<std::string_view, E>;

// True for every key that one of our classes knows; scheduler_config.json files list those of other
// classes too, since from_config hands them on.
bool is_known_option(std::string_view key);

// Reads the keys of one class. An absent key gives the class's default; the first wrong value is
// kept in error(), so that a class reads all its options and asks once.
class OptionReader {
 public:
  OptionReader(std::string_view class_name, const json::object& listed)
      : class_name_(class_name), listed_(listed) {}

  bool flag(std::string_view key, bool fallback);
  int integer(std::string_view key, int fallback, int min, int max);
  double number(std::string_view key, double fallback);
  std::optional<double> optional_number(std::string_view key);
  std::vector<double> numbers(std::string_view key);  // empty when absent or null
  std::vector<int> integers(std::string_view key);
  bool is_null(std::string_view key);       // listed, and null
  void must_be_null(std::string_view key);  // an option of diffusers that has no meaning here

  template <typename E, std::size_t N>
  E choice(std::string_view key, E fallback, const Choice<E> (&choices)[N]) {
    const std::string* word = text(key);
    if (!word) return fallback;
    std::string allowed;
    for (const auto& [name, value] : choices) {
      if (*word == name) return value;
      allowed.append(allowed.empty() ? "" : ", ").append(name);
    }
    refuse(key, "one of " + allowed);
    return fallback;
  }

  // More than one option at odds with another.
  void refuse(std::string_view key, std::string_view allowed);
  const std::optional<Error>& error() const { return error_; }

 private:
  const json::value* find(std::string_view key);  // nullptr when absent; null is a value
  const std::string* text(std::string_view key);

  std::string_view class_name_;
  const json::object& listed_;
  std::string text_;  // the last one read
  std::optional<Error> error_;
};

}  // namespace limner::schedulers
