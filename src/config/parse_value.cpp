#include "config/parse_value.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.hpp"

namespace limner::config {
namespace {

// Shorter ones can be found by trying.
constexpr std::size_t kApiKeyCharsMin = 16;
constexpr std::size_t kApiKeyCharsMax = 512;

// "64KiB" → 64 and "KiB".
std::pair<std::string_view, std::string_view> split_unit(std::string_view text) {
  auto end = text.find_first_not_of("0123456789");
  if (end == text.npos) end = text.size();
  return {text.substr(0, end), text.substr(end)};
}

struct Unit {
  std::string_view name;
  std::uint64_t factor;
};

constexpr std::array kByteUnits = {
    Unit{"", 1},
    Unit{"B", 1},
    Unit{"KB", 1'000},
    Unit{"MB", 1'000'000},
    Unit{"GB", 1'000'000'000},
    Unit{"KiB", 1ULL << 10},
    Unit{"MiB", 1ULL << 20},
    Unit{"GiB", 1ULL << 30},
};
constexpr std::array kTimeUnits = {
    Unit{"", 1}, Unit{"s", 1}, Unit{"m", 60}, Unit{"h", 3'600}, Unit{"d", 86'400},
};

template <std::size_t N>
std::optional<std::uint64_t> parse_scaled(std::string_view text, const std::array<Unit, N>& units,
                                          std::uint64_t max) {
  const auto [digits, unit] = split_unit(text);
  const auto count = limner::parse_number<std::uint64_t>(digits);
  if (!count) return std::nullopt;
  for (const auto& known : units) {
    if (known.name == unit && *count <= max / known.factor) return *count * known.factor;
  }
  return std::nullopt;
}

}  // namespace

Error unexpected(const RawValue& raw, std::string_view expected) {
  return invalid_value("",
                       fmt::format("{}: got \"{}\", expected {}", raw.where, raw.text, expected),
                       "invalid_config");
}

Result<std::int64_t> parse_int(const RawValue& raw, std::int64_t min, std::int64_t max) {
  const auto value = limner::parse_number<std::int64_t>(raw.text);
  if (!value || *value < min || *value > max) {
    return unexpected(raw, fmt::format("a whole number from {} to {}", min, max));
  }
  return *value;
}

Result<std::uint64_t> parse_u64(const RawValue& raw) {
  const auto value = limner::parse_number<std::uint64_t>(raw.text);
  if (!value) return unexpected(raw, "a whole number from 0 to 2^64 - 1");
  return *value;
}

Result<double> parse_number(const RawValue& raw, double min, double max) {
  const auto value = limner::parse_number<double>(raw.text);
  if (!value || !std::isfinite(*value) || *value < min || *value > max) {
    return unexpected(raw, fmt::format("a number from {} to {}", min, max));
  }
  return *value;
}

Result<bool> parse_bool(const RawValue& raw) {
  for (std::string_view word : {"true", "yes", "on", "1"}) {
    if (raw.text == word) return true;
  }
  for (std::string_view word : {"false", "no", "off", "0"}) {
    if (raw.text == word) return false;
  }
  return unexpected(raw, "true or false");
}

Result<std::uint64_t> parse_bytes(const RawValue& raw) {
  const auto bytes = parse_scaled(raw.text, kByteUnits, std::numeric_limits<std::int64_t>::max());
  if (!bytes) return unexpected(raw, "a size such as 512MB or 4GiB");
  return *bytes;
}

Result<std::chrono::seconds> parse_duration(const RawValue& raw) {
  constexpr std::uint64_t kTenYears = 10ULL * 366 * 86'400;
  const auto seconds = parse_scaled(raw.text, kTimeUnits, kTenYears);
  if (!seconds) return unexpected(raw, "a time such as 30s, 5m, 1h or 7d");
  return std::chrono::seconds(*seconds);
}

Result<std::chrono::seconds> parse_lifetime(const RawValue& raw) {
  auto duration = parse_duration(raw);
  if (duration && duration->count() == 0)
    return unexpected(raw, "a time such as 12h or 90d, not 0");
  return duration;
}

Result<std::string> parse_api_key(const RawValue& raw) {
  const auto refuse = [&](std::string_view what) {
    return invalid_value(
        "", fmt::format("{}: {}; `limner keys create NAME` makes a good one", raw.where, what),
        "invalid_config");
  };
  const auto size = raw.text.size();
  if (size == 0) return refuse("the key is empty (is a variable not set?)");
  if (size < kApiKeyCharsMin) {
    return refuse(fmt::format("the key has {} characters, an API key must have at least {}", size,
                              kApiKeyCharsMin));
  }
  if (size > kApiKeyCharsMax) {
    return refuse(fmt::format("the key has {} characters, an API key may have up to {}", size,
                              kApiKeyCharsMax));
  }
  if (!std::ranges::all_of(raw.text, [](char c) { return c > ' ' && c < '\x7f'; })) {
    return refuse("the key holds a blank or another character that headers cannot carry");
  }
  return raw.text;
}

Result<ImageSize> parse_size(const RawValue& raw) {
  const auto size = parse_image_size(raw.text);
  if (!size) return unexpected(raw, "WIDTHxHEIGHT in pixels, such as 512x512");
  return *size;
}

Result<SchedulerKind> parse_scheduler(const RawValue& raw) {
  const auto kind = parse_scheduler_kind(raw.text);
  if (!kind) return unexpected(raw, fmt::format("one of {}", fmt::join(scheduler_names(), ", ")));
  return *kind;
}

Result<std::pair<std::string, std::string>> parse_pair(const RawValue& raw) {
  const auto equals = raw.text.find('=');
  if (equals == std::string::npos || equals == 0 || equals + 1 == raw.text.size()) {
    return unexpected(raw, "NAME=VALUE");
  }
  return std::pair{raw.text.substr(0, equals), raw.text.substr(equals + 1)};
}

}  // namespace limner::config
