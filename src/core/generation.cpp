#include "core/generation.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <fmt/format.h>

namespace limner {
namespace {

using Entry = std::pair<SchedulerKind, std::string_view>;

constexpr std::array kSchedulers = {
    Entry{SchedulerKind::Ddim, "ddim"},
    Entry{SchedulerKind::Pndm, "pndm"},
    Entry{SchedulerKind::Euler, "euler"},
    Entry{SchedulerKind::EulerAncestral, "euler_a"},
    Entry{SchedulerKind::Heun, "heun"},
    Entry{SchedulerKind::Lms, "lms"},
    Entry{SchedulerKind::Dpmpp2m, "dpmpp_2m"},
    Entry{SchedulerKind::Dpmpp2mKarras, "dpmpp_2m_karras"},
    Entry{SchedulerKind::UniPc, "unipc"},
    Entry{SchedulerKind::DpmppSde, "dpmpp_sde"},
    Entry{SchedulerKind::Dpmpp2mSde, "dpmpp_2m_sde"},
    Entry{SchedulerKind::Deis, "deis"},
    Entry{SchedulerKind::Lcm, "lcm"},
    Entry{SchedulerKind::Tcd, "tcd"},
    Entry{SchedulerKind::Ddpm, "ddpm"},
    Entry{SchedulerKind::FlowMatchEuler, "flow_match_euler"},
    Entry{SchedulerKind::FlowMatchHeun, "flow_match_heun"},
};

}  // namespace

std::string_view to_string(Task task) {
  switch (task) {
    case Task::TextToImage:
      return "text_to_image";
    case Task::ImageToImage:
      return "image_to_image";
    case Task::Inpaint:
      return "inpaint";
  }
  return "text_to_image";
}

std::string_view to_string(SchedulerKind kind) {
  const auto it = std::ranges::find(kSchedulers, kind, &Entry::first);
  return it == kSchedulers.end() ? "unknown" : it->second;
}

std::optional<SchedulerKind> parse_scheduler_kind(std::string_view name) {
  const auto it = std::ranges::find(kSchedulers, name, &Entry::second);
  if (it == kSchedulers.end()) return std::nullopt;
  return it->first;
}

std::string strength_text(const AdapterRef& adapter) {
  if (!adapter.text_encoder_scale) return fmt::format("{:.6g}", adapter.scale);
  return fmt::format("{:.6g}:{:.6g}", *adapter.text_encoder_scale, adapter.scale);
}

std::vector<std::string_view> scheduler_names() {
  std::vector<std::string_view> names;
  for (const auto& entry : kSchedulers) names.push_back(entry.second);
  return names;
}

}  // namespace limner
