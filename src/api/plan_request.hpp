// An ImageRequest with its pictures → what each of its models would paint, and what the answer
// will print then.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "api/call_context.hpp"
#include "api/image_request.hpp"
#include "api/load_images.hpp"
#include "api/reply_plan.hpp"
#include "api/services.hpp"

namespace limner::api {

// Of one model: the request as it goes to the engine, without its pictures, and the answer's plan.
struct ModelPlan {
  GenerationRequest generation;
  ReplyPlan reply;
};

struct RequestPlan {
  // In the order to be tried: the model and its fallbacks.
  std::vector<Candidate> candidates;
  std::map<std::string, ModelPlan> by_model;  // own name → its plan; at least one
  std::string first_model;                    // own name of the first that can be tried
};

// Reads and decodes the pictures, asks every model what it would do. An error when the request
// itself is wrong, or no model can be tried; what is wrong with a fallback alone stays with it.
Result<RequestPlan> plan_request(Services& services, const CallContext& call,
                                 ImageRequest& request);

// The plan of what needs no model: the answer of a background removal.
ReplyPlan plan_cut_out(const Services& services, const CallContext& call,
                       const ImageRequest& request, ImageSize size);

}  // namespace limner::api
