#include "diffusion/pipelines/factory.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "diffusion/pipelines/adapters.hpp"
#include "diffusion/pipelines/flux.hpp"
#include "diffusion/pipelines/fused_pipeline.hpp"
#include "diffusion/pipelines/model_folder.hpp"
#include "diffusion/pipelines/one_size_pipeline.hpp"
#include "diffusion/pipelines/probe_sizes.hpp"
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

// A sentence for the client about tensors that had no effect.
std::vector<std::string> describe_leftovers(const std::string& name, const weights::Lora& lora) {
  const auto& leftovers = lora.leftovers();
  if (leftovers.empty()) return {};
  const auto& first = leftovers.front();
  return {fmt::format("lora {}: {} of its tensors had no effect, the first is {:.128}: {}", name,
                      leftovers.size(), first.name, first.reason)};
}

Result<std::shared_ptr<const weights::Lora>> open_lora(
    const std::string& name, const LoraFiles& files,
    const std::vector<weights::LoraBase>& networks) {
  const auto path = files.find(name);
  if (path == files.end()) {
    return invalid_value("loras", fmt::format("loras: \"{:.64}\" is not there any more", name),
                         "unknown_lora");
  }
  const auto file = weights::open_lora_file(path->second);
  if (!file) {
    return Error{.kind = ErrorKind::Internal,
                 .message = fmt::format("lora {}: its file cannot be read", name),
                 .code = "invalid_lora",
                 .detail = file.error().message};
  }
  auto lora = weights::Lora::read(*file, "lora " + name, networks);
  if (!lora) return lora.error();
  return std::make_shared<const weights::Lora>(*std::move(lora));
}

Result<std::unique_ptr<Pipeline>> load_fused(const std::string& name, const ModelFolder& folder,
                                             const LoraFiles& files, Loader load,
                                             runtime::Runtime& runtime,
                                             const LoadOptions& options) {
  auto networks = folder.open_lora_networks();
  if (!networks) return networks.error();
  std::vector<WantedLora> wanted;
  std::vector<std::string> notes;
  for (const auto& adapter : options.adapters) {
    auto lora = open_lora(adapter.name, files, *networks);
    if (!lora) return lora.error();
    std::ranges::move(describe_leftovers(adapter.name, **lora), std::back_inserter(notes));
    wanted.push_back({.lora = *std::move(lora),
                      .strength = static_cast<float>(adapter.scale),
                      .text_encoder_strength =
                          static_cast<float>(adapter.text_encoder_scale.value_or(adapter.scale))});
  }
  auto fused = load(name, folder.with_loras(std::move(wanted)), runtime, options.weight_format);
  if (!fused) return fused.error();
  return std::unique_ptr<Pipeline>(new FusedPipeline(*std::move(fused), std::move(notes)));
}

// The family's pipeline as it is, or with LoRAs fused; its traits name all that may be.
Result<std::unique_ptr<Pipeline>> load_family(const std::string& name, ModelFolder folder,
                                              Loader load, runtime::Runtime& runtime,
                                              const LoadOptions& options) {
  if (options.lora_dir.empty()) return load(name, folder, runtime, options.weight_format);
  auto files = find_loras(options.lora_dir);
  if (!files) return files.error();
  std::vector<std::string> names;
  names.reserve(files->size());
  for (const auto& [lora, path] : *files) names.push_back(lora);
  folder.offer_loras(std::move(names));
  if (!options.adapters.empty()) {
    return load_fused(name, folder, *files, load, runtime, options);
  }
  // What cannot take LoRAs at all is said now, not at the first request for one.
  if (auto networks = folder.open_lora_networks(); !networks) return networks.error();
  return load(name, folder, runtime, options.weight_format);
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
    folder->set_precision(precision_of(*folder, runtime));
    auto pipeline = load_family(name, *std::move(folder), family.load, runtime, options);
    if (!pipeline || !(*pipeline)->traits().paints_one_size) return pipeline;
    return std::unique_ptr<Pipeline>(new OneSizePipeline(*std::move(pipeline)));
  }
  std::vector<std::string_view> known;
  known.reserve(kFamilies.size());
  for (const auto& family : kFamilies) known.push_back(family.class_name);
  return Error{.kind = ErrorKind::Unsupported,
               .message = fmt::format("{}: {} is not a pipeline that can be served; known are {}",
                                      path.string(), folder->class_name(), fmt::join(known, ", ")),
               .code = "unsupported_model"};
}

}  // namespace limner::pipelines
