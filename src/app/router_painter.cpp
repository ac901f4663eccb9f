#include "app/router_painter.hpp"

#include <algorithm>
#include <utility>

#include "router/fallback_chain.hpp"

namespace limner::app {
namespace {

std::chrono::milliseconds to_ms(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration);
}

}  // namespace

RouterPainter::RouterPainter(router::ModelRouter& router,
                             const std::vector<config::ModelConfig>& models)
    : router_(router) {
  set_policies(models);
}

void RouterPainter::set_policies(const std::vector<config::ModelConfig>& models) {
  std::map<std::string, ModelPolicy> policies;
  for (const auto& model : models) policies[model.name] = model.policy;
  policies_.with([&](auto& current) { current = std::move(policies); });
}

std::vector<api::ServedModel> RouterPainter::models() const {
  std::vector<api::ServedModel> served;
  for (const auto& model : router_.models()) served.push_back(describe(model));
  return served;
}

Result<api::ServedModel> RouterPainter::find(std::string_view name) {
  auto served = look_up(name);
  if (!served || served->traits) return served;
  auto traits = router_.local().traits(served->name);
  if (!traits) return traits.error();
  served->traits = *std::move(traits);
  return served;
}

Result<api::ServedModel> RouterPainter::look_up(std::string_view name) const {
  auto target = router_.resolve(name);
  if (!target) return target.error();
  for (const auto& model : router_.models()) {
    if (model.name != target->model) continue;
    auto served = describe(model);
    served.adapters = std::move(target->adapters);
    return served;
  }
  // The list was reloaded between the two looks.
  return Error{.kind = ErrorKind::NotFound,
               .message = "model: not served any more",
               .param = "model",
               .code = "model_not_found"};
}

api::ServedModel RouterPainter::describe(const router::ServedModel& model) const {
  api::ServedModel served;
  served.name = model.name;
  served.aliases = model.aliases;
  served.policy = policies_.with([&](const auto& policies) {
    const auto policy = policies.find(model.name);
    return policy == policies.end() ? ModelPolicy{} : policy->second;
  });
  if (!model.status) return served;
  served.traits = model.status->traits;
  served.size_bytes = model.status->size_bytes;
  served.is_ready = model.status->takes_requests;
  served.loading = model.status->loading;
  served.error = model.status->error;
  return served;
}

Result<api::PaintEstimate> RouterPainter::estimate(const GenerationRequest& request) {
  auto estimate = router_.local().estimate(request);
  if (!estimate) return estimate.error();
  return api::PaintEstimate{.effective = std::move(estimate->effective),
                            .rows = estimate->rows,
                            .expected_wait = to_ms(estimate->expected_wait),
                            .expected_time = to_ms(estimate->expected_time)};
}

Result<api::Accepted> RouterPainter::paint(std::vector<api::Candidate> candidates,
                                           std::shared_ptr<EventSink> sink, std::stop_token stop) {
  std::vector<router::Attempt> attempts;
  for (auto& candidate : candidates) {
    if (candidate.request) {
      attempts.push_back({.request = *std::move(candidate.request), .place = &router_.local()});
      continue;
    }
    router::Attempt attempt{.request = {}, .place = candidate.request.error()};
    attempt.request.model = std::move(candidate.model);
    attempts.push_back(std::move(attempt));
  }
  auto accepted =
      router::generate_with_fallbacks(std::move(attempts), std::move(sink), std::move(stop));
  if (!accepted) return accepted.error();
  return api::Accepted{.position = accepted->position,
                       .expected_wait = to_ms(accepted->expected_wait)};
}

}  // namespace limner::app
