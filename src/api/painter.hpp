// What the API needs of the rest of the server: which models there are, and to have a request
// painted. An interface, so that the dialects can be tested without a model.
#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.hpp"
#include "core/generation.hpp"
#include "core/model_policy.hpp"

namespace limner::api {

struct ServedModel {
  std::string name;
  std::vector<std::string> aliases;
  // Of look_up() and find(): LoRAs that the name asked for stands for.
  std::vector<AdapterRef> adapters = {};
  ModelPolicy policy;
  // Absent until the model was loaded once.
  std::shared_ptr<const ModelTraits> traits;
  std::size_t size_bytes = 0;  // of its weights in memory, estimated
  bool is_ready = false;
  std::optional<ModelLoading> loading;
  std::optional<Error> error;  // why it cannot be had
};

// Where an accepted request stands.
struct Accepted {
  int position = 0;  // 0 is next
  std::chrono::milliseconds expected_wait{0};
};

struct PaintEstimate {
  EffectiveParams effective;
  int rows = 1;
  std::chrono::milliseconds expected_wait{0};
  std::chrono::milliseconds expected_time{0};
};

// A model to try: what to paint with it, or why it cannot be tried.
struct Candidate {
  std::string model;  // as the client named it
  Result<GenerationRequest> request;
};

class Painter {
 public:
  virtual ~Painter() = default;

  // In the order they are configured; the first is the default.
  virtual std::vector<ServedModel> models() const = 0;
  // By own name, alias, LoRA or `provider/name`; empty is the default model. NotFound, code
  // model_not_found.
  virtual Result<ServedModel> look_up(std::string_view name) const = 0;
  // The same with its traits: asks for the model to be loaded when nothing is known of it yet.
  virtual Result<ServedModel> find(std::string_view name) = 0;
  // What could be said against the request before it is accepted. Cheap: tokenizers only.
  virtual Result<PaintEstimate> estimate(const GenerationRequest& request) = 0;
  // Tries one candidate after another until one paints; at least one. An accepted request ends with
  // exactly one Completed or Failed event; a refused one has none.
  virtual Result<Accepted> paint(std::vector<Candidate> candidates, std::shared_ptr<EventSink> sink,
                                 std::stop_token stop) = 0;
};

}  // namespace limner::api
