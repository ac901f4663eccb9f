#include "diffusion/pipelines/probe_sizes.hpp"

#include <cstdint>
#include <limits>
#include <optional>
#include <string_view>

namespace limner::pipelines {
namespace {

// A positive number, or the first of a list of them.
std::optional<int> first_size(const json::object& config, std::string_view key) {
  const auto* value = config.if_contains(key);
  if (value && value->is_array() && !value->get_array().empty()) value = &value->get_array()[0];
  if (!value || !value->is_int64()) return std::nullopt;
  const std::int64_t size = value->get_int64();
  if (size < 1 || size > std::numeric_limits<int>::max()) return std::nullopt;
  return static_cast<int>(size);
}

std::optional<int> width_of(const json::object& config) {
  if (const auto channels = first_size(config, "block_out_channels")) return channels;
  if (const auto dim = first_size(config, "dim")) return dim;
  const auto heads = first_size(config, "num_attention_heads");
  const auto head_dim = first_size(config, "attention_head_dim");
  if (!heads || !head_dim || *heads > std::numeric_limits<int>::max() / *head_dim) {
    return std::nullopt;
  }
  return *heads * *head_dim;
}

}  // namespace

runtime::ProbeSizes probe_sizes(const json::object& denoiser_config) {
  runtime::ProbeSizes sizes;
  sizes.channels = width_of(denoiser_config).value_or(sizes.channels);
  const int patch = first_size(denoiser_config, "patch_size").value_or(1);
  if (const auto side = first_size(denoiser_config, "sample_size")) sizes.side = *side / patch;
  return sizes;
}

runtime::Precision precision_of(const ModelFolder& folder, runtime::Runtime& runtime) {
  const auto denoiser = folder.open_component(folder.has("unet") ? "unet" : "transformer");
  // One that cannot be opened is refused by its pipeline, in better words.
  return runtime.choose_precision(denoiser ? probe_sizes(denoiser->config) : runtime::ProbeSizes{});
}

}  // namespace limner::pipelines
