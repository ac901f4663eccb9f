// Calls into a pipeline or a sink from the engine's own thread. Both report errors as values; what
// still escapes (bad_alloc, a library's exception) must end one request, not the lane and with it
// everybody's.
#pragma once

#include <exception>
#include <new>
#include <utility>

#include "base/result.hpp"
#include "engine/refusals.hpp"

namespace limner::engine {

template <typename F>
auto guarded(F&& call) -> decltype(call()) {
  try {
    return std::forward<F>(call)();
  } catch (const std::bad_alloc&) {
    return out_of_memory();
  } catch (const std::exception& exception) {
    return engine_failure(exception.what());
  }
}

}  // namespace limner::engine
