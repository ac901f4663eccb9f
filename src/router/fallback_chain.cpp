#include "router/fallback_chain.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"

namespace limner::router {
namespace {

// Touched by the thread that starts it until an attempt is accepted, then by that backend's thread
// alone: each hand-over goes through the backend's own queue, so no lock is needed.
class FallbackChain final : public EventSink, public std::enable_shared_from_this<FallbackChain> {
 public:
  FallbackChain(std::vector<Attempt> attempts, std::shared_ptr<EventSink> client,
                std::stop_token stop)
      : attempts_(std::move(attempts)), client_(std::move(client)), stop_(std::move(stop)) {}

  // The attempts from the next one on, until one is accepted; the first error of all when none is.
  Result<Accepted> start_next() {
    while (next_ < attempts_.size()) {
      Attempt& attempt = attempts_[next_++];
      model_ = attempt.request.model;
      auto accepted = start(attempt);
      // Once accepted, the chain belongs to the backend's thread.
      if (accepted) return accepted;
      if (!note_failure(accepted.error())) break;
    }
    return *first_error_;
  }

  void emit(GenerationEvent event) override {
    if (auto* failed = std::get_if<event::Failed>(&event)) {
      on_failed(std::move(failed->error));
      return;
    }
    if (auto* completed = std::get_if<event::Completed>(&event); completed && first_error_) {
      completed->effective.notes.push_back(fmt::format("painted by \"{}\" after \"{}\" failed: {}",
                                                       model_, first_model_,
                                                       first_error_->message));
    }
    has_partial_ |= std::holds_alternative<event::Partial>(event);
    client_->emit(std::move(event));
  }

 private:
  Result<Accepted> start(Attempt& attempt) {
    if (const Error* error = std::get_if<Error>(&attempt.place)) return *error;
    return std::get<Backend*>(attempt.place)
        ->generate(std::move(attempt.request), shared_from_this(), stop_);
  }

  // Whether the next may be tried. What was wrong with the request is the primary's to say: a later
  // model may simply not take the primary's sizes.
  bool note_failure(const Error& error) {
    const bool is_first = !first_error_;
    if (is_first) {
      first_error_ = error;
      first_model_ = model_;
    }
    if (stop_.stop_requested() || error.kind == ErrorKind::Cancelled) return false;
    return is_first ? is_worth_another_place(error) : true;
  }

  void on_failed(Error error) {
    if (has_partial_ || error.kind == ErrorKind::Cancelled) {
      client_->emit(event::Failed{std::move(error)});
      return;
    }
    if (note_failure(error) && next_ < attempts_.size() && start_next()) return;
    client_->emit(event::Failed{*first_error_});
  }

  std::vector<Attempt> attempts_;
  // The client's connection, shared with it: either may end first.
  std::shared_ptr<EventSink> client_;
  std::stop_token stop_;
  std::size_t next_ = 0;
  std::string model_;  // of the running attempt
  std::string first_model_;
  std::optional<Error> first_error_;
  bool has_partial_ = false;
};

}  // namespace

Result<Accepted> generate_with_fallbacks(std::vector<Attempt> attempts,
                                         std::shared_ptr<EventSink> sink, std::stop_token stop) {
  LIMNER_CHECK(!attempts.empty(), "a request needs a place to go");
  auto chain =
      std::make_shared<FallbackChain>(std::move(attempts), std::move(sink), std::move(stop));
  return chain->start_next();
}

bool is_worth_another_place(const Error& error) {
  switch (error.kind) {
    case ErrorKind::InvalidArgument:
    case ErrorKind::MethodNotAllowed:
    case ErrorKind::TooLarge:
    case ErrorKind::UnsupportedMedia:
    case ErrorKind::Unsupported:
    case ErrorKind::Cancelled:
      return false;
    case ErrorKind::Unauthenticated:
    case ErrorKind::PermissionDenied:
    case ErrorKind::NotFound:
    case ErrorKind::RequestTimeout:
    case ErrorKind::Conflict:
    case ErrorKind::RateLimited:
    case ErrorKind::Internal:
    case ErrorKind::Unavailable:
    case ErrorKind::Timeout:
      return true;
  }
  return false;
}

}  // namespace limner::router
