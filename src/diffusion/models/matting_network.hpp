// A U-Net that tells a picture's subject from its background (tools/train/train_matting.py). Batch
// norms are folded into the convolutions.
#pragma once

#include <filesystem>
#include <memory>
#include <vector>

#include "core/image.hpp"
#include "diffusion/models/component.hpp"

namespace limner::models {

struct MattingNetworkConfig {
  int sample_size = 256;             // side of the picture that it sees
  std::int64_t block_size = 1;       // side of the blocks that become channels at the start
  std::vector<std::int64_t> widths;  // channels, from there down by halves
  std::string act_fn = "silu";

  static Result<MattingNetworkConfig> parse(const Component& component);
};

class MattingNetwork {
 public:
  // A folder with config.json and weights; compiled at the first call.
  static Result<std::unique_ptr<MattingNetwork>> load(runtime::Runtime& runtime,
                                                      const std::filesystem::path& dir);

  const MattingNetworkConfig& config() const { return config_; }
  // Three channels, sample_size on each side → share of subject, 0 to 1, [side * side]. One call at
  // a time.
  Result<std::vector<float>> operator()(const Image& rgb);

 private:
  MattingNetwork(runtime::Runtime& runtime, const Component& component,
                 MattingNetworkConfig config);

  MattingNetworkConfig config_;
  CompiledShapes network_;
};

}  // namespace limner::models
