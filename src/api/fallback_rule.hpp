// When the next model of `fallbacks` is tried.
#pragma once

#include "base/error.hpp"

namespace limner::api {

// What another model might do better: unknown, unloadable, busy or failing. Not what is wrong with
// the request itself, and never once the caller has left.
bool may_fall_back(const Error& error);

}  // namespace limner::api
