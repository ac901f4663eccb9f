#include "runtime/precision_choice.hpp"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/files.hpp"
#include "base/hash.hpp"
#include "base/json.hpp"
#include "base/log.hpp"

namespace limner::runtime {
namespace {

constexpr int kChannelsMax = 1024;
constexpr int kSideMin = 8;
constexpr double kProductsMax = 1.5e9;  // of the convolution
constexpr double kClearlyFaster = 0.9;  // of the other's time
constexpr std::size_t kFileBytesMax = 4096;

// What a file of an earlier start says; nothing when it is of another machine or damaged.
std::optional<PrecisionTimes> read_times(const std::filesystem::path& file,
                                         std::string_view machine) {
  const auto text = read_file(file, kFileBytesMax);
  if (!text) return std::nullopt;
  // A line of JSON and its digest: a wrong digit would paint other pictures for ever.
  const auto end = text->find('\n');
  if (end == std::string::npos || text->substr(end + 1) != sha256_hex(text->substr(0, end))) {
    return std::nullopt;
  }
  const auto value = parse_json(std::string_view(*text).substr(0, end), {});
  const auto* object = value ? value->if_object() : nullptr;
  if (!object) return std::nullopt;
  const auto* of = object->if_contains("machine");
  const auto* f32 = object->if_contains("f32_seconds");
  const auto* bf16 = object->if_contains("bf16_seconds");
  const bool is_whole = of && of->is_string() && f32 && f32->is_double() && bf16 &&
                        bf16->is_double() && std::string_view(of->get_string()) == machine;
  if (!is_whole) return std::nullopt;
  return PrecisionTimes{.f32_seconds = f32->get_double(), .bf16_seconds = bf16->get_double()};
}

void write_times(const std::filesystem::path& file, std::string_view machine,
                 const PrecisionTimes& times) {
  const auto line = json::serialize(json::object{{"machine", json::string(machine)},
                                                 {"f32_seconds", times.f32_seconds},
                                                 {"bf16_seconds", times.bf16_seconds}});
  std::error_code failed;
  std::filesystem::create_directories(file.parent_path(), failed);
  const auto written = write_file(file, line + "\n" + sha256_hex(line));
  if (!written) log::warn("{}; it is measured again at the next start", written.error().message);
}

}  // namespace

ProbeSizes bounded(ProbeSizes sizes) {
  const int channels = std::clamp(sizes.channels, 1, kChannelsMax);
  const double positions = kProductsMax / (9.0 * channels * channels);
  const int side_max = std::max(kSideMin, static_cast<int>(std::sqrt(positions)));
  return {.channels = channels, .side = std::clamp(sizes.side, kSideMin, side_max)};
}

Precision faster(const PrecisionTimes& times) {
  const bool is_bf16 = times.bf16_seconds < kClearlyFaster * times.f32_seconds;
  return is_bf16 ? Precision::Bf16 : Precision::F32;
}

PrecisionChoice::PrecisionChoice(std::filesystem::path dir, std::string machine, Measure measure)
    : dir_(std::move(dir)), machine_(std::move(machine)), measure_(std::move(measure)) {}

Precision PrecisionChoice::choose(const ProbeSizes& sizes) {
  if (!measure_) return Precision::F32;
  const ProbeSizes probed = bounded(sizes);
  // Under the lock: two measurements at once would measure each other.
  return known_.with([&](auto& known) {
    const auto it = known.find(probed);
    return it != known.end() ? it->second
                             : known.emplace(probed, choose_anew(probed)).first->second;
  });
}

Precision PrecisionChoice::choose_anew(const ProbeSizes& sizes) const {
  const auto file = file_of(sizes);
  std::optional<PrecisionTimes> times;
  if (!file.empty()) times = read_times(file, machine_);
  const bool is_kept = times.has_value();
  if (!is_kept) {
    auto measured = measure_(sizes);
    if (!measured) {
      log::warn("precision: {} {}; f32 is taken", measured.error().message,
                measured.error().detail);
      return Precision::F32;
    }
    times = *measured;
    if (!file.empty()) write_times(file, machine_, *times);
  }
  const Precision taken = faster(*times);
  log::info("precision: {} is taken for {} channels at {}x{}: f32 took {:.1f} ms, bf16 {:.1f} ms{}",
            to_string(taken), sizes.channels, sizes.side, sizes.side, times->f32_seconds * 1e3,
            times->bf16_seconds * 1e3, is_kept ? " when it was measured" : "");
  return taken;
}

std::filesystem::path PrecisionChoice::file_of(const ProbeSizes& sizes) const {
  if (dir_.empty()) return {};
  const auto key = fmt::format("{}\n{} {}", machine_, sizes.channels, sizes.side);
  return dir_ / (sha256_hex(key) + ".precision");
}

}  // namespace limner::runtime
