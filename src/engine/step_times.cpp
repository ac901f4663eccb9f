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
constexpr double kGuessedDecodeRows = 4.0;
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

double Average::value_or(double guess) const {
  if (count_ == 0) return guess;
  return count_ == 1 ? std::min(value_, guess) : value_;
}

void StepTimes::record_step(const Group& group, int rows, Duration took) {
  Measured& measured = at(group);
  auto& same_rows = measured.step_by_rows[rows];
  // Each number of rows is a shape of its own, whose compiling says nothing of a row.
  if (measured.row.is_empty() || !same_rows.is_empty()) {
    measured.row.add(seconds(took) / std::max(1, rows));
  }
  same_rows.add(seconds(took));
}

void StepTimes::record_prepare(const Group& group, Duration took) {
  at(group).prepare.add(seconds(took));
}

void StepTimes::record_decode(const Group& group, int image_count, Duration took) {
  at(group).decode.add(seconds(took) / std::max(1, image_count));
}

Duration StepTimes::step(const Group& group, int rows) const {
  const double by_row = row_seconds(group) * rows;
  const auto it = measured_.find(group);
  if (it == measured_.end()) return duration(by_row);
  const auto same_rows = it->second.step_by_rows.find(rows);
  if (same_rows == it->second.step_by_rows.end()) return duration(by_row);
  return duration(same_rows->second.value_or(by_row));
}

bool StepTimes::has_measured(const std::string& model) const {
  return std::ranges::any_of(measured_, [&](const auto& entry) {
    return entry.first.model == model && !entry.second.row.is_empty();
  });
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
  const auto guess = [](const Group& of) {
    return kGuessedRowSeconds * area(of.key) / kGuessedRowArea;
  };
  const auto it = measured_.find(group);
  if (it != measured_.end() && !it->second.row.is_empty()) {
    return it->second.row.value_or(guess(group));
  }
  for (const auto& [other, measured] : measured_) {
    if (other.model != group.model || measured.row.is_empty()) continue;
    return measured.row.value_or(guess(other)) * area(group.key) / area(other.key);
  }
  return guess(group);
}

// Text encoders once, the VAE for each image; a decode is worth about four rows until measured.
double StepTimes::fixed_seconds(const RequestShape& shape) const {
  const double row = row_seconds(shape.group);
  const auto it = measured_.find(shape.group);
  if (it == measured_.end() || it->second.decode.is_empty()) {
    return kGuessedDecodeRows * row * shape.image_count;
  }
  return it->second.prepare.value_or(row) +
         it->second.decode.value_or(kGuessedDecodeRows * row) * shape.image_count;
}

StepTimes::Measured& StepTimes::at(const Group& group) {
  if (measured_.size() >= kGroupsMax && !measured_.contains(group)) measured_.clear();
  return measured_[group];
}

}  // namespace limner::engine
