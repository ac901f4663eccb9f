#include "diffusion/pipelines/factory.hpp"

#include <array>
#include <string_view>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "diffusion/pipelines/flux.hpp"
#include "diffusion/pipelines/lora_pipeline.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/pipelines/stable_diffusion.hpp"
#include "diffusion/pipelines/stable_diffusion_3.hpp"
#include "diffusion/pipelines/stable_diffusion_xl.hpp"
#include "diffusion/pipelines/z_image.hpp"

namespace limner::pipelines {
namespace {

using Loader = Result<std::unique_ptr<Pipeline>> (*)(const std::string&, const ModelFolder&,
                                                     runtime::Runtime&, nn::WeightFormat);

struct Family {
  std::string_view class_name;  // of model_index.json
  Loader load;
};

constexpr std::array kFamilies = {
    Family{"StableDiffusionPipeline", StableDiffusionPipeline::load},
    Family{"StableDiffusionImg2ImgPipeline", StableDiffusionPipeline::load},
    Family{"StableDiffusionInpaintPipeline", StableDiffusionPipeline::load},
    Family{"LatentConsistencyModelPipeline", StableDiffusionPipeline::load},
    Family{"LatentConsistencyModelImg2ImgPipeline", StableDiffusionPipeline::load},
    Family{"StableDiffusionXLPipeline", StableDiffusionXLPipeline::load},
    Family{"StableDiffusionXLImg2ImgPipeline", StableDiffusionXLPipeline::load},
    Family{"StableDiffusionXLInpaintPipeline", StableDiffusionXLPipeline::load},
    Family{"StableDiffusion3Pipeline", StableDiffusion3Pipeline::load},
    Family{"StableDiffusion3Img2ImgPipeline", StableDiffusion3Pipeline::load},
    Family{"StableDiffusion3InpaintPipeline", StableDiffusion3Pipeline::load},
    Family{"FluxPipeline", FluxPipeline::load},
    Family{"FluxImg2ImgPipeline", FluxPipeline::load},
    Family{"FluxInpaintPipeline", FluxPipeline::load},
    Family{"FluxFillPipeline", FluxPipeline::load},
    Family{"ZImagePipeline", ZImagePipeline::load},
    Family{"ZImageImg2ImgPipeline", ZImagePipeline::load},
    Family{"ZImageInpaintPipeline", ZImagePipeline::load},
};

// The family's pipeline, through which each set of LoRAs gets one of its own.
Result<std::unique_ptr<Pipeline>> load_with_loras(const std::string& name,
                                                  const ModelFolder& folder, Loader load,
                                                  runtime::Runtime& runtime,
                                                  const LoadOptions& options) {
  auto files = find_loras(options.lora_dir);
  if (!files) return files.error();
  auto networks = folder.open_lora_networks();
  if (!networks) return networks.error();
  auto base = load(name, folder, runtime, options.weight_format);
  if (!base) return base.error();
  return std::unique_ptr<Pipeline>(new LoraPipeline(
      {.base = *std::move(base),
       .files = *std::move(files),
       .networks = *std::move(networks),
       .load_variant = [=, &runtime, format = options.weight_format](const auto& loras) {
         return load(name, folder.with_loras(loras), runtime, format);
       }}));
}

}  // namespace

Result<std::unique_ptr<Pipeline>> load_pipeline(const std::string& name,
                                                const std::filesystem::path& path,
                                                runtime::Runtime& runtime,
                                                const LoadOptions& options) {
  auto folder = ModelFolder::open(path, options.parts);
  if (!folder) return folder.error();
  for (const auto& family : kFamilies) {
    if (family.class_name != folder->class_name()) continue;
    if (!options.lora_dir.empty()) {
      return load_with_loras(name, *folder, family.load, runtime, options);
    }
    return family.load(name, *folder, runtime, options.weight_format);
  }
  std::vector<std::string_view> known;
  for (const auto& family : kFamilies) known.push_back(family.class_name);
  return Error{.kind = ErrorKind::Unsupported,
               .message = fmt::format("{}: {} is not a pipeline that can be served; known are {}",
                                      path.string(), folder->class_name(), fmt::join(known, ", ")),
               .code = "unsupported_model"};
}

}  // namespace limner::pipelines
