#include "engine/request_shape.hpp"

#include <utility>

#include "engine/model_variant.hpp"

namespace limner::engine {

Result<RequestShape> shape_of(const pipelines::Pipeline& pipeline,
                              const GenerationRequest& request) {
  auto effective = pipeline.check(request);
  if (!effective) return std::move(effective).error();
  auto batch = pipeline.batch_shape(request);
  batch.key.adapters = ModelVariant::of(request).adapter_text();
  const int rows_max = pipeline.rows_max(batch.key);
  return RequestShape{.group = {.model = request.model, .key = std::move(batch.key)},
                      .rows = batch.rows,
                      .rows_max = rows_max,
                      .step_count = effective->num_inference_steps,
                      .image_count = request.image_count};
}

}  // namespace limner::engine
