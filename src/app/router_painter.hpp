// The API's Painter over the router: adds what the administrator allows for each model.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "api/painter.hpp"
#include "base/guarded.hpp"
#include "config/config.hpp"
#include "router/model_router.hpp"

namespace limner::app {

class RouterPainter final : public api::Painter {
 public:
  // `router` outlives this.
  RouterPainter(router::ModelRouter& router, const std::vector<config::ModelConfig>& models);

  // Any thread.
  void set_policies(const std::vector<config::ModelConfig>& models);

  std::vector<api::ServedModel> models() const override;
  Result<api::ServedModel> look_up(std::string_view name) const override;
  Result<api::ServedModel> find(std::string_view name) override;
  Result<api::PaintEstimate> estimate(const GenerationRequest& request) override;
  Result<api::Accepted> paint(std::vector<api::Candidate> candidates,
                              std::shared_ptr<EventSink> sink, std::stop_token stop) override;

 private:
  api::ServedModel describe(const router::ServedModel& model) const;

  router::ModelRouter& router_;
  Guarded<std::map<std::string, ModelPolicy>> policies_;  // by model
};

}  // namespace limner::app
