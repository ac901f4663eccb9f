#include "diffusion/models/autoencoder_halves.hpp"

#include <utility>

#include <fmt/format.h>

#include "nn/graph.hpp"

namespace limner::models {

Component half_of(Component component, std::string_view name, std::vector<std::string> other_half) {
  component.name += name;
  component.foreign_prefixes = std::move(other_half);
  return component;
}

Result<runtime::Tensor> run_row_by_row(CompiledShapes& shapes, std::span<const float> data,
                                       const nn::Shape& row_shape, const WriteRow& write) {
  const std::int64_t channels = row_shape[0], height = row_shape[1], width = row_shape[2];
  auto network = shapes.get(fmt::format("1x{}x{}x{}", channels, height, width),
                            [&](nn::Graph& graph, const nn::WeightScope& w) {
                              const auto x = graph.input("x", {1, channels, height, width});
                              graph.output("y", write(x, w));
                            });
  if (!network) return network.error();
  const auto side = [](std::int64_t n) { return static_cast<std::size_t>(n); };
  const runtime::Shape shape{1, side(channels), side(height), side(width)};
  const std::size_t row_size = runtime::element_count(shape);
  const std::size_t rows = data.size() / row_size;
  auto out_shape = (*network)->output_shape("y");
  out_shape[0] = rows;
  runtime::Tensor out(out_shape);
  for (std::size_t i = 0; i < rows; ++i) {
    const runtime::Input input{"x", shape, data.subspan(i * row_size, row_size)};
    const runtime::Output output{"y", out.row(i)};
    if (auto ok = (*network)->run({&input, 1}, {&output, 1}); !ok) return ok.error();
  }
  return out;
}

}  // namespace limner::models
