#include "diffusion/models/patch_embed.hpp"

#include <fmt/format.h>

#include "nn/graph.hpp"

namespace limner::models {

using nn::Value;
using nn::WeightScope;

namespace {

// pos_embed [1, M*M, D] → its middle [1, height*width, D].
Value middle_positions(const Value& table, std::int64_t side, std::int64_t height,
                       std::int64_t width) {
  if (height > side || width > side) {
    throw nn::GraphError(fmt::format("{}x{} patches do not fit the table of {}x{} positions", width,
                                     height, side, side));
  }
  const std::int64_t depth = table.dim(-1);
  const std::int64_t top = (side - height) / 2;
  const std::int64_t left = (side - width) / 2;
  const Value rows = nn::slice(nn::reshape(table, {1, side, side, depth}), 1, top, top + height);
  return nn::reshape(nn::slice(rows, 2, left, left + width), {1, height * width, depth});
}

}  // namespace

Value patch_embed(const Value& x, const WeightScope& w, const PatchEmbedOptions& options) {
  const auto stride = static_cast<int>(options.patch_size);
  const Value map = nn::conv2d(x, w / "proj", {.stride = stride, .padding = 0});
  const std::int64_t height = map.dim(2), width = map.dim(3);
  const Value tokens =
      nn::transpose(nn::reshape(map, {map.dim(0), map.dim(1), height * width}), {0, 2, 1});
  return tokens +
         middle_positions(nn::parameter(w, "pos_embed"), options.pos_embed_max_size, height, width);
}

Value unpatchify(const Value& tokens, std::int64_t patch_size, std::int64_t height,
                 std::int64_t width) {
  const std::int64_t rows = tokens.dim(0);
  const std::int64_t channels = tokens.dim(2) / (patch_size * patch_size);
  const Value grid = nn::reshape(
      tokens, {rows, height / patch_size, width / patch_size, patch_size, patch_size, channels});
  return nn::reshape(nn::transpose(grid, {0, 5, 1, 3, 2, 4}), {rows, channels, height, width});
}

Value patchify(const Value& x, std::int64_t patch_size) {
  const std::int64_t rows = x.dim(0), channels = x.dim(1);
  const std::int64_t height = x.dim(2) / patch_size, width = x.dim(3) / patch_size;
  const Value grid = nn::reshape(x, {rows, channels, height, patch_size, width, patch_size});
  return nn::reshape(nn::transpose(grid, {0, 2, 4, 3, 5, 1}),
                     {rows, height * width, patch_size * patch_size * channels});
}

Value pack_latents(const Value& x) {
  const std::int64_t rows = x.dim(0), channels = x.dim(1), height = x.dim(2), width = x.dim(3);
  const Value grid = nn::reshape(x, {rows, channels, height / 2, 2, width / 2, 2});
  return nn::reshape(nn::transpose(grid, {0, 2, 4, 1, 3, 5}),
                     {rows, height / 2 * (width / 2), channels * 4});
}

Value unpack_latents(const Value& tokens, std::int64_t height, std::int64_t width) {
  const std::int64_t rows = tokens.dim(0), channels = tokens.dim(2) / 4;
  const Value grid = nn::reshape(tokens, {rows, height / 2, width / 2, channels, 2, 2});
  return nn::reshape(nn::transpose(grid, {0, 3, 1, 4, 2, 5}), {rows, channels, height, width});
}

}  // namespace limner::models
