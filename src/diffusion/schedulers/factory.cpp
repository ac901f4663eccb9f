#include "diffusion/schedulers/factory.hpp"

#include <algorithm>
#include <vector>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/check.hpp"
#include "diffusion/schedulers/makers.hpp"
#include "diffusion/schedulers/options.hpp"

namespace limner::schedulers {
namespace {

struct Class {
  std::string_view name;
  SchedulerResult (*make)(OptionReader&);
};

constexpr Class kClasses[] = {
    {"DDIMScheduler", make_ddim},
    {"DDPMScheduler", make_ddpm},
    {"DEISMultistepScheduler", make_deis_multistep},
    {"DPMSolverMultistepScheduler", make_dpmsolver_multistep},
    {"DPMSolverSinglestepScheduler", make_dpmsolver_singlestep},
    {"EulerAncestralDiscreteScheduler", make_euler_ancestral_discrete},
    {"EulerDiscreteScheduler", make_euler_discrete},
    {"FlowMatchEulerDiscreteScheduler", make_flow_match_euler_discrete},
    {"FlowMatchHeunDiscreteScheduler", make_flow_match_heun_discrete},
    {"HeunDiscreteScheduler", make_heun_discrete},
    {"LCMScheduler", make_lcm},
    {"LMSDiscreteScheduler", make_lms_discrete},
    {"PNDMScheduler", make_pndm},
    {"TCDScheduler", make_tcd},
    {"UniPCMultistepScheduler", make_unipc_multistep},
};

// A request's value: a class, and an option set over the folder's.
struct Name {
  std::string_view name;
  std::string_view class_name;
  std::string_view option = {};
  std::string_view text = {};  // the option's value; empty: true
};

// A class's plain entry comes before those that set an option.
constexpr Name kNames[] = {
    {"ddim", "DDIMScheduler"},
    {"pndm", "PNDMScheduler"},
    {"euler", "EulerDiscreteScheduler"},
    {"euler_a", "EulerAncestralDiscreteScheduler"},
    {"heun", "HeunDiscreteScheduler"},
    {"lms", "LMSDiscreteScheduler"},
    {"dpmpp_2m", "DPMSolverMultistepScheduler"},
    {"dpmpp_2m_karras", "DPMSolverMultistepScheduler", "use_karras_sigmas"},
    {"unipc", "UniPCMultistepScheduler"},
    {"dpmpp_sde", "DPMSolverSinglestepScheduler", "algorithm_type", "sde-dpmsolver++"},
    {"dpmpp_2m_sde", "DPMSolverMultistepScheduler", "algorithm_type", "sde-dpmsolver++"},
    {"deis", "DEISMultistepScheduler"},
    {"lcm", "LCMScheduler"},
    {"tcd", "TCDScheduler"},
    {"ddpm", "DDPMScheduler"},
    {"flow_match_euler", "FlowMatchEulerDiscreteScheduler"},
    {"flow_match_heun", "FlowMatchHeunDiscreteScheduler"},
};

template <typename Table>
auto find_named(const Table& table, std::string_view name) -> decltype(&table[0]) {
  const auto found = std::ranges::find_if(table, [&](const auto& e) { return e.name == name; });
  return found == std::end(table) ? nullptr : &*found;
}

template <typename Table>
std::vector<std::string_view> names_of(const Table& table) {
  std::vector<std::string_view> names;
  for (const auto& entry : table) names.push_back(entry.name);
  return names;
}

// A class's constructor rewrites the words of its relatives into its own, and from_config hands on
// what it wrote. Value `from` of `option`, listed for a class of this prefix, becomes `to`.
struct Rewrite {
  std::string_view class_prefix;
  std::string_view option;
  std::string_view from;
  std::string_view to;
};

constexpr Rewrite kRewrites[] = {
    {"DPMSolver", "algorithm_type", "deis", "dpmsolver++"},
    {"DPMSolver", "solver_type", "logrho", "midpoint"},
    {"DPMSolver", "solver_type", "bh1", "midpoint"},
    {"DPMSolver", "solver_type", "bh2", "midpoint"},
    {"DEIS", "algorithm_type", "dpmsolver", "deis"},
    {"DEIS", "algorithm_type", "dpmsolver++", "deis"},
    {"DEIS", "solver_type", "midpoint", "logrho"},
    {"DEIS", "solver_type", "heun", "logrho"},
    {"DEIS", "solver_type", "bh1", "logrho"},
    {"DEIS", "solver_type", "bh2", "logrho"},
    {"UniPC", "solver_type", "midpoint", "bh2"},
    {"UniPC", "solver_type", "heun", "bh2"},
    {"UniPC", "solver_type", "logrho", "bh2"},
};

// The makers take their own class's words only.
void rewrite_words(std::string_view class_name, json::object& listed) {
  for (const auto& [prefix, option, from, to] : kRewrites) {
    auto* value = class_name.starts_with(prefix) ? listed.if_contains(option) : nullptr;
    if (value && *value == json::value(from)) *value = to;
  }
}

json::value option_value(const Name& name) {
  return name.text.empty() ? json::value(true) : json::value(name.text);
}

SchedulerResult make_class(std::string_view class_name, json::object listed) {
  rewrite_words(class_name, listed);
  OptionReader reader(class_name, listed);
  return find_named(kClasses, class_name)->make(reader);
}

}  // namespace

Result<SchedulerConfig> load_scheduler_config(const json::object& file) {
  const auto* class_value = file.if_contains("_class_name");
  const auto* class_name = class_value ? class_value->if_string() : nullptr;
  if (!class_name || !find_named(kClasses, *class_name)) {
    const auto got = class_value ? json::serialize(*class_value) : "nothing";
    return invalid_value("_class_name", fmt::format("scheduler: _class_name: got {}, expected one "
                                                    "of {}",
                                                    got, fmt::join(names_of(kClasses), ", ")));
  }
  SchedulerConfig config{.class_name = std::string(*class_name), .listed = {}, .own = {}};
  for (const auto& [key, value] : file) {
    if (key.starts_with('_')) continue;  // metadata
    if (!is_known_option(key)) {
      return invalid_value(key, fmt::format("{}: {} is no option that is understood",
                                            config.class_name, std::string_view(key)));
    }
    config.listed.emplace(key, value);
  }
  rewrite_words(config.class_name, config.listed);
  if (auto made = make_class(config.class_name, config.listed); !made) return made.error();
  return config;
}

void correct(SchedulerConfig& config, std::string_view key, const json::value& value) {
  LIMNER_CHECK(is_known_option(key), "a correction of an unknown option");
  auto& options = config.listed.contains(key) ? config.listed : config.own;
  options[key] = value;
}

Result<std::unique_ptr<Scheduler>> make_scheduler(const SchedulerConfig& config,
                                                  std::string_view name) {
  if (name.empty()) {
    json::object options = config.listed;
    for (const auto& [key, value] : config.own) options[key] = value;
    return make_class(config.class_name, std::move(options));
  }
  const Name* entry = find_named(kNames, name);
  if (!entry) {
    return invalid_value("scheduler", fmt::format("scheduler: got \"{}\", expected one of {}", name,
                                                  fmt::join(names_of(kNames), ", ")));
  }
  json::object listed = config.listed;
  if (!entry->option.empty()) listed[entry->option] = option_value(*entry);
  return make_class(entry->class_name, std::move(listed));
}

std::string_view own_scheduler_name(const SchedulerConfig& config) {
  std::string_view own;
  for (const Name& entry : kNames) {
    if (entry.class_name != config.class_name) continue;
    const auto* value = entry.option.empty() ? nullptr : config.listed.if_contains(entry.option);
    // A class that has no plain entry goes by its first.
    const bool is_set = value && *value == option_value(entry);
    if (own.empty() || entry.option.empty() || is_set) own = entry.name;
  }
  return own;
}

std::span<const std::string_view> known_scheduler_names() {
  static const auto names = names_of(kNames);
  return names;
}

}  // namespace limner::schedulers
