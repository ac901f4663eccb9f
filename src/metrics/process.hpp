// The process as the kernel sees it.
#pragma once

#include <cstdint>

namespace limner::metrics {

struct ProcessFacts {
  std::int64_t resident_bytes = 0;
  std::int64_t open_descriptors = 0;
  std::int64_t threads = 0;
  double cpu_seconds = 0;
};

// Zeros for what /proc does not tell.
ProcessFacts read_process_facts();

}  // namespace limner::metrics
