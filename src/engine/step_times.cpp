#include "engine/step_times.hpp"

#include <algorithm>
#include <chrono>

namespace limner::engine {
namespace {

// Sizes come from clients: the table must not grow with them.
constexpr std::size_t kGroupsMax = 256;
constexpr double kNewValueWeight = 0.25;

// Before anything was measured: about twice what SD 1.5's UNet takes for one row of 64x64 latents
// on two current cores, and its usual step count with guidance.
constexpr double kGuessedRowSeconds = 1.0;
constexpr double kGuessedRowArea = 64.0 * 64.0;
constexpr double kGuessedRowCount = 50.0 * 2.0;
constexpr double kPixelsPerLatent = 8.0 * 8.0;

double seconds(Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

Duration duration(double seconds) {
  return std::chrono::duration_cast<Duration>(std::chrono::duration<double>(seconds));
}

double area(const pipelines::BatchKey& key) {
  return std::max(1.0, static_cast<double>(key.latent_height) * key.latent_width);
}

}  // namespace

void Average::add(double value) {
  value_ = count_ <= 1 ? value : value_ + kNewValueWeight * (value - value_);
  count_ = std::min(count_ + 1, 2);
}

void StepTimes::record_step(const Group& group, int rows, Duration took) {
  Measured& measured = at(group);
  measured.step_by_rows[rows].add(seconds(took));
  measured.row.add(seconds(took) / std::max(1, rows));
}

void StepTimes::record_prepare(const Group& group, Duration took) {
  at(group).prepare.add(seconds(took));
}

void StepTimes::record_decode(const Group& group, int image_count, Duration took) {
  at(group).decode.add(seconds(took) / std::max(1, image_count));
}

Duration StepTimes::step(const Group& group, int rows) const {
  if (const auto it = measured_.find(group); it != measured_.end()) {
    const auto same_rows = it->second.step_by_rows.find(rows);
    if (same_rows != it->second.step_by_rows.end()) return duration(same_rows->second.value());
  }
  return duration(row_seconds(group) * rows);
}

Duration StepTimes::alone(const RequestShape& shape) const {
  return shape.step_count * step(shape.group, shape.rows) + duration(fixed_seconds(shape));
}

Duration StepTimes::share(const RequestShape& shape) const {
  return duration(shape.step_count * shape.rows * row_seconds(shape.group) + fixed_seconds(shape));
}

Duration StepTimes::guess(std::size_t pixels, int image_count) {
  const double latents = static_cast<double>(pixels) / kPixelsPerLatent;
  return duration(kGuessedRowSeconds * kGuessedRowCount * latents / kGuessedRowArea * image_count);
}

double StepTimes::row_seconds(const Group& group) const {
  const auto it = measured_.find(group);
  if (it != measured_.end() && !it->second.row.is_empty()) return it->second.row.value();
  for (const auto& [other, measured] : measured_) {
    if (other.model != group.model || measured.row.is_empty()) continue;
    return measured.row.value() * area(group.key) / area(other.key);
  }
  return kGuessedRowSeconds * area(group.key) / kGuessedRowArea;
}

// Text encoders once, the VAE for each image; a decode is worth about four rows until measured.
double StepTimes::fixed_seconds(const RequestShape& shape) const {
  const auto it = measured_.find(shape.group);
  if (it == measured_.end() || it->second.decode.is_empty()) {
    return 4.0 * row_seconds(shape.group) * shape.image_count;
  }
  return it->second.prepare.value() + it->second.decode.value() * shape.image_count;
}

StepTimes::Measured& StepTimes::at(const Group& group) {
  if (measured_.size() >= kGroupsMax && !measured_.contains(group)) measured_.clear();
  return measured_[group];
}

}  // namespace limner::engine
