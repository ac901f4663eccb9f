#include "diffusion/pipelines/model_folder.hpp"

#include <utility>

#include <fmt/format.h>

#include "diffusion/models/config_reader.hpp"

namespace limner::pipelines {

namespace fs = std::filesystem;

Result<ModelFolder> ModelFolder::open(const fs::path& dir) {
  std::error_code ec;
  const auto missing = [&](std::string_view what) {
    return Error{.kind = ErrorKind::NotFound,
                 .message = fmt::format("{}: {}", dir.string(), what),
                 .code = "invalid_model"};
  };
  if (!fs::exists(dir, ec)) return missing("there is no such folder");
  if (!fs::is_directory(dir, ec)) return missing("is a file, expected a diffusers folder");
  if (!fs::exists(dir / "model_index.json", ec)) {
    return missing("is not a diffusers folder, it has no model_index.json");
  }
  auto index = models::read_config(dir / "model_index.json");
  if (!index) return index.error();
  ModelFolder folder;
  folder.dir_ = dir;
  folder.index_ = *std::move(index);
  auto name = get_string(folder.index_, "_class_name", "", "model_index.json");
  if (!name) return name.error();
  if (name->empty()) return missing("model_index.json has no _class_name");
  folder.class_name_ = *std::move(name);
  return folder;
}

bool ModelFolder::has(std::string_view component) const {
  const auto* entry = index_.if_contains(component);
  return entry && entry->is_array() && entry->get_array().size() == 2 &&
         entry->get_array()[1].is_string();
}

bool ModelFolder::flag(std::string_view key, bool fallback) const {
  const auto* value = index_.if_contains(key);
  return value && value->is_bool() ? value->get_bool() : fallback;
}

Result<schedulers::SchedulerConfig> ModelFolder::scheduler_config() const {
  auto config = models::read_config(component("scheduler") / "scheduler_config.json");
  if (!config) return config.error();
  return schedulers::load_scheduler_config(*config);
}

Result<void> ModelFolder::apply_own_defaults(ModelTraits& traits) const {
  std::error_code ec;
  if (!fs::exists(dir_ / "limner.json", ec)) return {};
  auto config = models::read_config(dir_ / "limner.json");
  if (!config) return config.error();
  models::ConfigReader r(*config, "limner.json");
  auto& defaults = traits.defaults;
  defaults.num_inference_steps =
      static_cast<int>(r.integer("num_inference_steps", defaults.num_inference_steps));
  defaults.guidance_scale = r.number("guidance_scale", defaults.guidance_scale);
  defaults.strength = r.number("strength", defaults.strength);
  defaults.negative_prompt = r.string("negative_prompt", defaults.negative_prompt);
  if (const auto name = r.optional_string("scheduler")) {
    if (const auto kind = parse_scheduler_kind(*name)) {
      defaults.scheduler = *kind;
    } else {
      r.fail("scheduler", fmt::format("\"{}\" is not known", *name));
    }
  }
  if (defaults.num_inference_steps < 1 || defaults.num_inference_steps > traits.steps_max) {
    r.fail("num_inference_steps", fmt::format("must be between 1 and {}", traits.steps_max));
  }
  if (defaults.strength < 0 || defaults.strength > 1) r.fail("strength", "must be 0 to 1");
  return r.finish();
}

}  // namespace limner::pipelines
