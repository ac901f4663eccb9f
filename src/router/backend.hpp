// A place that paints: this machine's engine, later another server.
#pragma once

#include <memory>
#include <stop_token>

#include "base/clock.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"

namespace limner::router {

// The request is on its way; its sink will hear the rest. It is cancelled by its stop token alone,
// since a fallback may have taken it elsewhere meanwhile.
struct Accepted {
  int position = 0;  // 0 is next
  Duration expected_wait{};
};

class Backend {
 public:
  virtual ~Backend() = default;
  // Any thread, also from within a sink; quick. A refusal is the returned error and no event.
  virtual Result<Accepted> generate(GenerationRequest request, std::shared_ptr<EventSink> sink,
                                    std::stop_token stop) = 0;
};

}  // namespace limner::router
