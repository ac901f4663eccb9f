// What became of one attempt at one place, before anything decides what follows.
#pragma once

#include <chrono>
#include <optional>
#include <string_view>

namespace limner::router {

enum class OutcomeKind {
  Done,         // at least one picture
  BadRequest,   // the request is wrong wherever it goes (400, 413)
  Unsupported,  // this place cannot do it, another might (415, 422)
  Moderated,    // refused for what it shows
  BadKey,       // the key is unknown, blocked or without money
  NoModel,      // the place does not have the model
  Limited,      // a rate limit or quota (429)
  Busy,         // overloaded or loading (503 and its like)
  Broken,       // a reply that is no answer, or none
  Late,         // a deadline of ours passed
  Unreachable,  // nothing was sent
  Gone,         // our client left
};

// "done", "bad_request", … as attempts[] and metrics name it.
std::string_view to_string(OutcomeKind kind);

struct Outcome {
  OutcomeKind kind = OutcomeKind::Done;
  // The whole request was handed over, so that the place may have painted, and billed.
  bool was_sent = false;
  // As the place told; absent when it told nothing that can be read.
  std::optional<std::chrono::milliseconds> retry_after;
};

}  // namespace limner::router
