// Text of a setting → value. Every error says where the text stood, what it was and what is
// allowed.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <utility>

#include "base/result.hpp"
#include "config/raw_value.hpp"
#include "core/generation.hpp"

namespace limner::config {

// `where: got "text", expected …`
Error unexpected(const RawValue& raw, std::string_view expected);

Result<std::int64_t> parse_int(const RawValue& raw, std::int64_t min, std::int64_t max);
Result<std::uint64_t> parse_u64(const RawValue& raw);
Result<double> parse_number(const RawValue& raw, double min, double max);
Result<bool> parse_bool(const RawValue& raw);                      // true false yes no on off 1 0
Result<std::uint64_t> parse_bytes(const RawValue& raw);            // 512, 64KiB, 100MB, 4GiB
Result<std::chrono::seconds> parse_duration(const RawValue& raw);  // 30, 30s, 5m, 1h, 7d
Result<std::chrono::seconds> parse_lifetime(const RawValue& raw);  // a duration that is not 0
// A key that clients are to send: 16 to 512 characters of ASCII without blanks, as headers carry
// them. The error never shows it.
Result<std::string> parse_api_key(const RawValue& raw);
Result<ImageSize> parse_size(const RawValue& raw);
Result<SchedulerKind> parse_scheduler(const RawValue& raw);
// NAME=VALUE, neither empty.
Result<std::pair<std::string, std::string>> parse_pair(const RawValue& raw);

}  // namespace limner::config
