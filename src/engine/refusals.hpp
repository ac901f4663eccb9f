// What clients are told when the engine does not paint for them: every text in one place.
#pragma once

#include <string_view>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "core/generation.hpp"

namespace limner::engine {

// Whole seconds for Retry-After, at least 1. Long waits are told as they are.
std::chrono::seconds retry_seconds(Duration wait);

// `wait`: what the refused would have waited for its turn.
Error queue_full(std::size_t waiting, Duration wait);
// `waiting` requests of its own principal.
Error queue_share_used(std::size_t waiting, Duration wait);
Error too_much_work(Duration before_it, Duration until_room);
Error draining(Duration retry_after);
Error stopped();
Error client_left();
Error model_unknown(std::string_view model);
Error model_loading(const ModelLoading& loading);
// `reason` goes to the log only, as it may hold paths; but that memory ran out, or that a network's
// numbers are not finite, is told, and tells none.
Error model_failed(std::string_view model, const Error& reason, Duration retry_after);
Error model_too_large(std::string_view model, std::size_t needed_bytes, std::size_t limit_bytes);
// While painting.
Error out_of_memory();
// An exception or a broken promise behind the pipeline interface.
Error engine_failure(std::string_view detail);

}  // namespace limner::engine
