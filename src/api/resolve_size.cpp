#include "api/resolve_size.hpp"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "base/text.hpp"

namespace limner::api {
namespace {

std::size_t pixels(ImageSize size) {
  return static_cast<std::size_t>(size.width_px) * static_cast<std::size_t>(size.height_px);
}

// To the multiple that is closest, within [min, max].
int round_side(double side, const ModelTraits& traits, int side_max) {
  const int multiple = std::max(1, traits.size_multiple_px);
  const int lowest = (std::max(1, traits.side_px_min) + multiple - 1) / multiple * multiple;
  const int highest = std::max(lowest, side_max / multiple * multiple);
  const int rounded = static_cast<int>(std::lround(side / multiple)) * multiple;
  return std::clamp(rounded, lowest, highest);
}

int parse_ratio_part(std::string_view text) {
  const int value = parse_number<int>(text).value_or(0);
  return value >= 1 && value <= 100 ? value : 0;
}

// "16:9" at the native number of pixels.
Result<ImageSize> size_of_ratio(const std::string& text, const SizeRules& rules) {
  const auto colon = std::min(text.find(':'), text.size());
  const int w = parse_ratio_part(std::string_view(text).substr(0, colon));
  const int h =
      colon < text.size() ? parse_ratio_part(std::string_view(text).substr(colon + 1)) : 0;
  if (w == 0 || h == 0) {
    return invalid_value("aspect_ratio",
                         "aspect_ratio: expected WIDTH:HEIGHT with numbers from 1 to 100");
  }
  const double scale = std::sqrt(static_cast<double>(pixels(rules.native())) / (w * h));
  return rules.nearest({.width_px = static_cast<int>(std::lround(w * scale)),
                        .height_px = static_cast<int>(std::lround(h * scale))});
}

Error refuse(ImageSize size, const SizeRules& rules, std::string_view param) {
  const auto& traits = rules.traits;
  std::string why = fmt::format("sides divisible by {}", traits.size_multiple_px);
  if (!rules.policy.allowed_resolutions.empty()) {
    why = "one of";
    for (const auto allowed : rules.policy.allowed_resolutions) why += " " + to_string(allowed);
  } else if (rules.policy.max_resolution) {
    why += fmt::format(", at most {}", to_string(*rules.policy.max_resolution));
  } else {
    why += fmt::format(" from {} to {}", traits.side_px_min, traits.side_px_max);
    if (pixels(size) > traits.pixels_max) {
      why += fmt::format(", at most {} pixels in all", traits.pixels_max);
    }
  }
  return invalid_value(param, fmt::format("{}: got {}, expected {}; the nearest is {}", param,
                                          to_string(size), why, to_string(rules.nearest(size))));
}

}  // namespace

ImageSize SizeRules::native() const {
  if (policy.default_resolution) return *policy.default_resolution;
  if (!policy.allowed_resolutions.empty() && !takes(traits.defaults.size)) {
    return policy.allowed_resolutions.front();
  }
  return takes(traits.defaults.size) ? traits.defaults.size : nearest(traits.defaults.size);
}

bool SizeRules::takes(ImageSize size) const {
  const auto& allowed = policy.allowed_resolutions;
  if (!allowed.empty() && std::ranges::find(allowed, size) == allowed.end()) return false;
  if (policy.max_resolution && (size.width_px > policy.max_resolution->width_px ||
                                size.height_px > policy.max_resolution->height_px)) {
    return false;
  }
  const auto fits = [&](int side) {
    return side >= traits.side_px_min && side <= traits.side_px_max &&
           side % std::max(1, traits.size_multiple_px) == 0;
  };
  return fits(size.width_px) && fits(size.height_px) && pixels(size) <= traits.pixels_max;
}

ImageSize SizeRules::nearest(ImageSize size) const {
  const auto& allowed = policy.allowed_resolutions;
  if (!allowed.empty()) {
    const auto distance = [&](ImageSize other) {
      return std::abs(other.width_px - size.width_px) + std::abs(other.height_px - size.height_px);
    };
    return *std::ranges::min_element(allowed, {}, distance);
  }
  ImageSize most{.width_px = traits.side_px_max, .height_px = traits.side_px_max};
  if (policy.max_resolution) {
    most.width_px = std::min(most.width_px, policy.max_resolution->width_px);
    most.height_px = std::min(most.height_px, policy.max_resolution->height_px);
  }
  const double w = size.width_px;
  const double h = size.height_px;
  const double pixels_scale = std::sqrt(static_cast<double>(traits.pixels_max) / (w * h));
  const double scale = std::min({1.0, most.width_px / w, most.height_px / h, pixels_scale});
  ImageSize best{.width_px = round_side(w * scale, traits, most.width_px),
                 .height_px = round_side(h * scale, traits, most.height_px)};
  // Rounding up may have passed the number of pixels.
  while (pixels(best) > traits.pixels_max) {
    int& longer = best.width_px >= best.height_px ? best.width_px : best.height_px;
    if (longer <= traits.size_multiple_px) break;
    longer -= traits.size_multiple_px;
  }
  return best;
}

Result<ResolvedSize> resolve_size(const ImageRequest& request, const SizeRules& rules,
                                  std::optional<ImageSize> first_image) {
  const bool has_side = request.width_px || request.height_px;
  if (request.aspect_ratio) {
    if (request.size || has_side) {
      return invalid_value("aspect_ratio",
                           "aspect_ratio: given beside a size; send one of the two");
    }
    auto size = size_of_ratio(*request.aspect_ratio, rules);
    if (!size) return size.error();
    return ResolvedSize{.size = *size};
  }
  const auto native = rules.native();
  ImageSize size = native;
  if (request.size) {
    size = *request.size;
  } else if (has_side) {
    size = {.width_px = request.width_px.value_or(native.width_px),
            .height_px = request.height_px.value_or(native.height_px)};
  } else {
    if (!first_image) return ResolvedSize{.size = native};
    const auto nearest = rules.nearest(*first_image);
    return ResolvedSize{.size = nearest, .was_rounded = nearest != *first_image};
  }
  if (rules.takes(size)) return ResolvedSize{.size = size};
  if (rules_of(request.dialect).size == Fit::Adjust) {
    return ResolvedSize{.size = rules.nearest(size), .was_adjusted = true};
  }
  return refuse(size, rules, request.size ? "size" : request.width_px ? "width" : "height");
}

}  // namespace limner::api
