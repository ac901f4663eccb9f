// Tries one place after another until one paints the picture. Stands between a backend and the
// client's sink, so that a failed attempt becomes the next attempt instead of an answer.
//
// The next is tried when an attempt was refused or failed for a reason of the place (unknown model,
// no memory, queue full, a bug, an upstream's trouble), not for one of the request; never after the
// client has seen a preview; never when it has left. When all fail, the client hears the first
// error.
#pragma once

#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "router/backend.hpp"

namespace limner::router {

// One place to try; an Error where a name led nowhere.
struct Attempt {
  GenerationRequest request;
  std::variant<Backend*, Error> place;
};

// At least one attempt. Backends must outlive the request.
Result<Accepted> generate_with_fallbacks(std::vector<Attempt> attempts,
                                         std::shared_ptr<EventSink> sink, std::stop_token stop);

// Whether another place might do what this one could not.
bool is_worth_another_place(const Error& error);

}  // namespace limner::router
