#include "diffusion/pipelines/one_size_pipeline.hpp"

#include <fmt/format.h>

#include "codec/pixels.hpp"
#include "codec/resize.hpp"

namespace limner::pipelines {

class OneSizePipeline::State final : public WrappedState {
 public:
  State(std::unique_ptr<DenoiseState> inner, EffectiveParams effective, bool keeps_shape)
      : WrappedState(std::move(inner), std::move(effective)), keeps_shape_(keeps_shape) {}

  // `picture` as large as was asked for.
  Image in_asked_size(const Image& picture) const {
    const ImageSize asked = effective().size;
    if (picture.size == asked) return picture;
    const auto filter = codec::ResizeFilter::Lanczos;
    return keeps_shape_ ? codec::fit_inside(picture, asked, filter)
                        : codec::resize(picture, asked, filter);
  }

 private:
  bool keeps_shape_;
};

GenerationRequest OneSizePipeline::in_own_size(const GenerationRequest& request) const {
  GenerationRequest own = request;
  own.size = traits().defaults.size;
  if (own.size == request.size) return own;
  if (request.init_image) {
    own.init_image = std::make_shared<const Image>(
        codec::resize(*request.init_image, own.size, codec::ResizeFilter::Lanczos));
  }
  if (request.mask) {
    own.mask = std::make_shared<const Mask>(
        Mask{codec::resize(request.mask->grey, own.size, codec::ResizeFilter::Nearest)});
  }
  return own;
}

EffectiveParams OneSizePipeline::describe(EffectiveParams effective,
                                          const GenerationRequest& request) const {
  const ImageSize own = traits().defaults.size;
  effective.size = request.size;
  if (request.size != own) {
    effective.notes.push_back(
        fmt::format("painted at {}, the only size of this model, and scaled", to_string(own)));
  }
  return effective;
}

BatchShape OneSizePipeline::batch_shape(const GenerationRequest& request) const {
  GenerationRequest own = request;
  own.size = traits().defaults.size;
  return inner().batch_shape(own);
}

Result<std::unique_ptr<DenoiseState>> OneSizePipeline::prepare(const GenerationRequest& request) {
  // The size that was asked for is refused here if it must be, not the model's own.
  auto effective = check(request);
  if (!effective) return effective.error();
  auto state = inner().prepare(in_own_size(request));
  if (!state) return state;
  return std::unique_ptr<DenoiseState>(
      new State(*std::move(state), *std::move(effective), request.init_image == nullptr));
}

Result<std::vector<Image>> OneSizePipeline::decode(DenoiseState& state, DecodeQuality quality) {
  auto pictures = WrappedPipeline::decode(state, quality);
  if (!pictures) return pictures;
  for (auto& picture : *pictures) picture = static_cast<State&>(state).in_asked_size(picture);
  return pictures;
}

}  // namespace limner::pipelines
