// From a scheduler_config.json and a request's choice to a Scheduler.
//
//   auto config = load_scheduler_config(file.as_object());  // once per model
//   auto scheduler = make_scheduler(*config, "euler_a");    // once per image; "" = the folder's
//   own
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/json.hpp"
#include "base/result.hpp"
#include "diffusion/schedulers/scheduler.hpp"

namespace limner::schedulers {

// What a model folder says about its scheduler, checked: its class is one of ours and every key is
// understood by one of our classes. `listed` holds the keys as the file gives them.
struct SchedulerConfig {
  std::string class_name;  // "EulerDiscreteScheduler"
  json::object listed;
  // Over `listed`, for the folder's own class only: values that the file does not list and that
  // correct() set.
  json::object own = {};
};

// Errors name the key, what came and what is allowed.
Result<SchedulerConfig> load_scheduler_config(const json::object& file);

// Sets an option as a pipeline's constructor does after reading the file: a listed key changes for
// every class, one that is not listed for the folder's own.
void correct(SchedulerConfig& config, std::string_view key, const json::value& value);

// `name` is a request's value ("euler_a"), empty for the folder's own class. Another class takes
// the keys that the file lists and it knows, its own defaults for the rest, as diffusers'
// from_config does after loading from disk. Errors: an unknown name, or a listed value that the
// chosen class cannot take.
Result<std::unique_ptr<Scheduler>> make_scheduler(const SchedulerConfig& config,
                                                  std::string_view name = {});

// The request value that stands for the folder's own scheduler ("dpmpp_2m_karras").
std::string_view own_scheduler_name(const SchedulerConfig& config);

// Every value that make_scheduler takes.
std::span<const std::string_view> known_scheduler_names();

}  // namespace limner::schedulers
