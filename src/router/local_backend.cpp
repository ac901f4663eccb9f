#include "router/local_backend.hpp"

#include <utility>

#include "engine/refusals.hpp"

namespace limner::router {

Result<Accepted> LocalBackend::generate(GenerationRequest request, std::shared_ptr<EventSink> sink,
                                        std::stop_token stop) {
  const auto ticket = engine_.submit(std::move(request), std::move(sink), std::move(stop));
  if (!ticket) return ticket.error();
  return Accepted{.position = ticket->position, .expected_wait = ticket->expected_wait};
}

Result<std::shared_ptr<const ModelTraits>> LocalBackend::traits(const std::string& model) {
  if (const auto status = pool_.status(model); status && status->traits) return status->traits;
  if (auto asked = pool_.preload(model); !asked) return asked.error();
  const auto status = pool_.status(model);
  if (!status) return engine::model_unknown(model);
  if (status->traits) return status->traits;
  if (status->error) return *status->error;
  return engine::model_loading(
      status->loading.value_or(ModelLoading{.model = model, .stage = "not loaded"}));
}

}  // namespace limner::router
