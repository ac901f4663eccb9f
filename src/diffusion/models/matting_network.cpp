#include "diffusion/models/matting_network.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "diffusion/models/config_reader.hpp"
#include "nn/ops.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

constexpr std::size_t kLevelsMax = 8;

// Two 3x3 convolutions; the first may halve the picture.
Value block(const Value& x, const WeightScope& w, int stride, const std::string& act_fn) {
  const Value h = nn::activation(nn::conv2d(x, w / "conv1", {.stride = stride}), act_fn);
  return nn::activation(nn::conv2d(h, w / "conv2"), act_fn);
}

// [1, C, h, w] → [1, C * n * n, h / n, w / n], as pixel_unshuffle.
Value blocks_to_channels(const Value& x, std::int64_t n) {
  const std::int64_t channels = x.dim(1), rows = x.dim(2) / n, columns = x.dim(3) / n;
  const Value apart = nn::reshape(x, {1, channels, rows, n, columns, n});
  return nn::reshape(nn::transpose(apart, {0, 1, 3, 5, 2, 4}),
                     {1, channels * n * n, rows, columns});
}

// The way back, to one channel, as pixel_shuffle.
Value channels_to_blocks(const Value& x, std::int64_t n) {
  const std::int64_t rows = x.dim(2), columns = x.dim(3);
  const Value apart = nn::reshape(x, {1, 1, n, n, rows, columns});
  return nn::reshape(nn::transpose(apart, {0, 1, 4, 2, 5, 3}), {1, 1, rows * n, columns * n});
}

Value alpha(const Value& pixels, const WeightScope& w, const MattingNetworkConfig& c) {
  std::vector<Value> passed;
  Value h = blocks_to_channels(pixels, c.block_size);
  for (std::size_t level = 0; level < c.widths.size(); ++level) {
    h = block(h, w / "down" / level, level == 0 ? 1 : 2, c.act_fn);
    passed.push_back(h);
  }
  passed.pop_back();
  for (std::size_t i = 0; !passed.empty(); ++i) {
    const Value& skip = passed.back();
    h = nn::concat({nn::interpolate_nearest(h, skip.dim(2), skip.dim(3)), skip}, 1);
    h = block(h, w / "up" / i, 1, c.act_fn);
    passed.pop_back();
  }
  return nn::sigmoid(channels_to_blocks(nn::conv2d(h, w / "head"), c.block_size));
}

// [1, 3, h, w] in -1 to 1.
std::vector<float> to_planes(const Image& rgb) {
  const std::size_t count = rgb.pixels.size() / 3;
  std::vector<float> planes(rgb.pixels.size());
  for (std::size_t i = 0; i < rgb.pixels.size(); ++i) {
    planes[i % 3 * count + i / 3] = static_cast<float>(rgb.pixels[i]) / 127.5f - 1;
  }
  return planes;
}

}  // namespace

Result<MattingNetworkConfig> MattingNetworkConfig::parse(const Component& component) {
  MattingNetworkConfig c;
  ConfigReader r(component.config, component.where);
  const auto side = r.integer("sample_size", 256);
  c.block_size = r.integer("block_size", 1);
  c.widths = r.integers("widths", {});
  c.act_fn = r.string("act_fn", "silu");
  if (c.widths.empty() || c.widths.size() > kLevelsMax) {
    r.fail("widths", fmt::format("needs 1 to {} entries", kLevelsMax));
  }
  for (const auto width : c.widths) {
    if (width <= 0 || width > 4096) r.fail("widths", "must be between 1 and 4096");
  }
  if (c.block_size < 1 || c.block_size > 16) r.fail("block_size", "must be between 1 and 16");
  const std::int64_t step = c.block_size << (c.widths.empty() ? 0 : c.widths.size() - 1);
  if (step < 1 || side < step || side > 4096 || side % step != 0) {
    r.fail("sample_size", fmt::format("must be a multiple of {} up to 4096", step));
  }
  if (auto ok = r.finish(); !ok) return ok.error();
  c.sample_size = static_cast<int>(side);
  return c;
}

MattingNetwork::MattingNetwork(runtime::Runtime& runtime, const Component& component,
                               MattingNetworkConfig config)
    : config_(std::move(config)), network_(runtime, component, {}) {}

Result<std::unique_ptr<MattingNetwork>> MattingNetwork::load(runtime::Runtime& runtime,
                                                             const std::filesystem::path& dir) {
  auto component = Component::open(dir, "matting");
  if (!component) return component.error();
  auto config = MattingNetworkConfig::parse(*component);
  if (!config) return config.error();
  return std::unique_ptr<MattingNetwork>(
      new MattingNetwork(runtime, *component, *std::move(config)));
}

Result<std::vector<float>> MattingNetwork::operator()(const Image& rgb) {
  LIMNER_CHECK(rgb.channels == 3 &&
               rgb.size == (ImageSize{config_.sample_size, config_.sample_size}));
  const auto side = static_cast<std::int64_t>(config_.sample_size);
  auto network = network_.get(fmt::format("1x3x{}x{}", side, side),
                              [&](nn::Graph& graph, const WeightScope& w) {
                                const auto x = graph.input("pixels", {1, 3, side, side});
                                graph.output("alpha", alpha(x, w, config_));
                              });
  if (!network) return network.error();
  const auto n = static_cast<std::size_t>(side);
  std::vector<float> share(n * n);
  const std::vector<float> pixels = to_planes(rgb);
  const runtime::Input input{"pixels", {1, 3, n, n}, pixels};
  const runtime::Output output{"alpha", share};
  if (auto ok = (*network)->run({&input, 1}, {&output, 1}); !ok) return ok.error();
  return share;
}

}  // namespace limner::models
