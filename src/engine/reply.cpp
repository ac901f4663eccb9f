#include "engine/reply.hpp"

#include <utility>

#include "base/check.hpp"
#include "base/log.hpp"
#include "engine/guard.hpp"

namespace limner::engine {

Reply::Reply(std::shared_ptr<EventSink> sink, std::stop_token stop, std::function<void()> on_stop)
    : sink_(std::move(sink)),
      stop_(std::move(stop)),
      on_stop_(std::make_unique<StopCallback>(stop_, std::move(on_stop))) {
  LIMNER_CHECK(sink_ != nullptr, "a request needs a sink");
}

Reply::~Reply() {
  if (sink_) fail(stopped());
}

void Reply::emit(GenerationEvent event) {
  if (!sink_) return;
  const auto sent = guarded([&]() -> Result<void> {
    sink_->emit(std::move(event));
    return {};
  });
  if (!sent) log::error("an event could not be handed over: {}", sent.error().detail);
}

void Reply::complete(event::Completed completed) {
  emit(std::move(completed));
  sink_.reset();
}

void Reply::fail(Error error) {
  emit(event::Failed{std::move(error)});
  sink_.reset();
}

}  // namespace limner::engine
