#include "diffusion/pipelines/preview_decoder.hpp"

#include <algorithm>
#include <cmath>

#include "base/check.hpp"
#include "diffusion/pipelines/pixels.hpp"

namespace limner::pipelines {
namespace {

constexpr int kNeighbours = 9;                // 3 x 3
constexpr int kCellsMax = 4;                  // finer colours than these are guesses
constexpr double kRidge = 1e-2;               // relative to the mean variance of a feature
constexpr std::size_t kSamplesMax = 100'000;  // enough; learning on would cost time for nothing

// Solves A x = b in place for symmetric positive definite A [n, n] and m right sides (Cholesky).
void solve_positive_definite(std::vector<double>& a, std::vector<double>& b, std::size_t n,
                             std::size_t m) {
  for (std::size_t i = 0; i < n; ++i) {
    for (std::size_t j = 0; j <= i; ++j) {
      double sum = a[i * n + j];
      for (std::size_t k = 0; k < j; ++k) sum -= a[i * n + k] * a[j * n + k];
      a[i * n + j] = i == j ? std::sqrt(std::max(sum, 1e-12)) : sum / a[j * n + j];
    }
  }
  for (std::size_t column = 0; column < m; ++column) {
    for (std::size_t i = 0; i < n; ++i) {
      for (std::size_t k = 0; k < i; ++k) b[i * m + column] -= a[i * n + k] * b[k * m + column];
      b[i * m + column] /= a[i * n + i];
    }
    for (std::size_t i = n; i-- > 0;) {
      for (std::size_t k = i + 1; k < n; ++k) b[i * m + column] -= a[k * n + i] * b[k * m + column];
      b[i * m + column] /= a[i * n + i];
    }
  }
}

// RGB cells → a picture `factor` times as large, bilinear between cell centres.
Image enlarge(std::span<const float> cells, ImageSize cell_size, ImageSize size) {
  Image image = Image::blank(size, 3);
  const auto at = [&](int y, int x, int c) {
    const int row = std::clamp(y, 0, cell_size.height_px - 1);
    const int column = std::clamp(x, 0, cell_size.width_px - 1);
    return cells[static_cast<std::size_t>((row * cell_size.width_px + column) * 3 + c)];
  };
  const float ratio_y =
      static_cast<float>(cell_size.height_px) / static_cast<float>(size.height_px);
  const float ratio_x = static_cast<float>(cell_size.width_px) / static_cast<float>(size.width_px);
  for (int y = 0; y < size.height_px; ++y) {
    const float source_y = (static_cast<float>(y) + 0.5f) * ratio_y - 0.5f;
    const int top = static_cast<int>(std::floor(source_y));
    const float down = source_y - static_cast<float>(top);
    std::uint8_t* out = image.row(y);
    for (int x = 0; x < size.width_px; ++x) {
      const float source_x = (static_cast<float>(x) + 0.5f) * ratio_x - 0.5f;
      const int left = static_cast<int>(std::floor(source_x));
      const float right = source_x - static_cast<float>(left);
      for (int c = 0; c < 3; ++c) {
        const float upper = at(top, left, c) * (1 - right) + at(top, left + 1, c) * right;
        const float lower = at(top + 1, left, c) * (1 - right) + at(top + 1, left + 1, c) * right;
        *out++ = to_byte(upper * (1 - down) + lower * down);
      }
    }
  }
  return image;
}

}  // namespace

PreviewDecoder::PreviewDecoder(int channels, int scale)
    : channels_(channels),
      scale_(scale),
      cells_(std::min(scale, kCellsMax)),
      covariance_(feature_count() * feature_count()),
      moments_(feature_count() * output_count()) {}

std::size_t PreviewDecoder::feature_count() const {
  return static_cast<std::size_t>(channels_ * kNeighbours + 1);
}

std::size_t PreviewDecoder::output_count() const {
  return static_cast<std::size_t>(cells_ * cells_ * 3);
}

void PreviewDecoder::gather_features(std::span<const float> latents, LatentShape shape, int y,
                                     int x, std::span<float> features) const {
  std::size_t next = 0;
  for (int channel = 0; channel < channels_; ++channel) {
    for (int dy = -1; dy <= 1; ++dy) {
      const int row = std::clamp(y + dy, 0, shape.height - 1);
      for (int dx = -1; dx <= 1; ++dx) {
        const int column = std::clamp(x + dx, 0, shape.width - 1);
        features[next++] = latents[static_cast<std::size_t>(
            (channel * shape.height + row) * shape.width + column)];
      }
    }
  }
  features[next] = 1;
}

void PreviewDecoder::learn(std::span<const float> latents, LatentShape shape,
                           std::span<const float> pixels) {
  if (sample_count_ >= kSamplesMax) return;
  const std::size_t features = feature_count();
  const std::size_t outputs = output_count();
  const int block = scale_ / cells_;
  const std::size_t plane = pixels.size() / 3;
  const int row_px = shape.width * scale_;
  std::vector<float> f(features);
  std::vector<double> o(outputs);
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      gather_features(latents, shape, y, x, f);
      // Mean colour of each cell below this latent pixel.
      for (std::size_t k = 0; k < outputs; ++k) {
        const auto channel = k % 3;
        const int cell = static_cast<int>(k / 3);
        const int y0 = y * scale_ + cell / cells_ * block;
        const int x0 = x * scale_ + cell % cells_ * block;
        double sum = 0;
        for (int dy = 0; dy < block; ++dy) {
          for (int dx = 0; dx < block; ++dx) {
            sum += static_cast<double>(
                pixels[channel * plane + static_cast<std::size_t>((y0 + dy) * row_px + x0 + dx)]);
          }
        }
        o[k] = sum / (block * block);
      }
      for (std::size_t i = 0; i < features; ++i) {
        const auto value = static_cast<double>(f[i]);
        for (std::size_t j = 0; j <= i; ++j) {
          covariance_[i * features + j] += value * static_cast<double>(f[j]);
        }
        for (std::size_t k = 0; k < outputs; ++k) moments_[i * outputs + k] += value * o[k];
      }
    }
  }
  sample_count_ += static_cast<std::size_t>(shape.height) * static_cast<std::size_t>(shape.width);
  map_.clear();
}

void PreviewDecoder::solve() {
  const std::size_t n = feature_count();
  std::vector<double> a = covariance_;
  double trace = 0;
  for (std::size_t i = 0; i < n; ++i) trace += a[i * n + i];
  for (std::size_t i = 0; i < n; ++i) a[i * n + i] += kRidge * trace / static_cast<double>(n);
  std::vector<double> b = moments_;
  solve_positive_definite(a, b, n, output_count());
  map_.assign(b.begin(), b.end());
}

Image PreviewDecoder::decode(std::span<const float> latents, LatentShape shape) {
  LIMNER_CHECK(is_ready());
  if (map_.empty()) solve();
  const ImageSize cell_size{shape.width * cells_, shape.height * cells_};
  std::vector<float> cells(static_cast<std::size_t>(cell_size.width_px * cell_size.height_px * 3));
  const std::size_t outputs = output_count();
  std::vector<float> f(feature_count());
  for (int y = 0; y < shape.height; ++y) {
    for (int x = 0; x < shape.width; ++x) {
      gather_features(latents, shape, y, x, f);
      for (std::size_t k = 0; k < outputs; ++k) {
        const int cell = static_cast<int>(k / 3);
        const int cell_y = y * cells_ + cell / cells_;
        const int cell_x = x * cells_ + cell % cells_;
        float sum = 0;
        for (std::size_t i = 0; i < f.size(); ++i) sum += f[i] * map_[i * outputs + k];
        cells[static_cast<std::size_t>(cell_y * cell_size.width_px + cell_x) * 3 + k % 3] = sum;
      }
    }
  }
  return enlarge(cells, cell_size, {shape.width * scale_, shape.height * scale_});
}

}  // namespace limner::pipelines
