// The engine's end of a request's answer: exactly one Completed or Failed leaves through it, even
// when the request is dropped on the way.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "core/generation.hpp"

namespace limner::engine {

class Reply {
 public:
  // `on_stop` runs once on the thread that asks to stop, possibly before this returns.
  Reply(std::shared_ptr<EventSink> sink, std::stop_token stop, std::function<void()> on_stop);
  Reply(Reply&&) = default;
  Reply& operator=(Reply&&) = delete;
  Reply(const Reply&) = delete;
  Reply& operator=(const Reply&) = delete;
  ~Reply();

  bool is_cancelled() const { return is_cancelled_ || stop_.stop_requested(); }
  void cancel() { is_cancelled_ = true; }

  void emit(GenerationEvent event);
  void complete(event::Completed completed);
  void fail(Error error);
  // The request was refused before it was accepted: the caller gets a value instead of an event.
  void dismiss() { sink_.reset(); }

 private:
  using StopCallback = std::stop_callback<std::function<void()>>;

  // Shared with the client's connection, which outlives the request or is outlived by it.
  std::shared_ptr<EventSink> sink_;
  std::stop_token stop_;
  std::unique_ptr<StopCallback> on_stop_;
  bool is_cancelled_ = false;
};

}  // namespace limner::engine
