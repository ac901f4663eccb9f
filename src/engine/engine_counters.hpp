// What the engine has done since the start, for /metrics.
#pragma once

#include <cstdint>

namespace limner::engine {

struct EngineCounters {
  std::uint64_t accepted = 0;
  std::uint64_t refused = 0;
  std::uint64_t completed = 0;
  std::uint64_t failed = 0;
  std::uint64_t cancelled = 0;
  std::uint64_t images = 0;
  std::uint64_t previews = 0;
  std::uint64_t network_calls = 0;
  std::uint64_t rows = 0;     // over all calls: rows / network_calls is the mean batch
  std::uint64_t retries = 0;  // calls repeated one request at a time
  double network_seconds = 0;
  double decode_seconds = 0;
};

}  // namespace limner::engine
