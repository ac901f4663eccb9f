#include "api/dialect.hpp"

namespace limner::api {
namespace {

constexpr DialectRules kBifrost = {
    .refuses_unknown_fields = false,
    .refuses_idle_strength = false,
    .sends_url_by_default = true,
    .sends_extra_fields = true,
    .sends_index_and_seed = true,
    .reads_prompt_syntax = true,
    .fits_long_prompts = true,
    .has_bifrost_error_members = true,
    .has_nebula_error_members = false,
    .mask_size = Fit::Refuse,
    .size = Fit::Refuse,
};

constexpr DialectRules kOpenAi = {
    .refuses_unknown_fields = false,
    .refuses_idle_strength = false,
    .sends_url_by_default = true,
    .sends_extra_fields = false,
    .sends_index_and_seed = false,
    .reads_prompt_syntax = true,
    .fits_long_prompts = true,
    .has_bifrost_error_members = true,
    .has_nebula_error_members = false,
    .mask_size = Fit::Refuse,
    .size = Fit::Refuse,
};

constexpr DialectRules kOvms = {
    .refuses_unknown_fields = true,
    .refuses_idle_strength = true,
    .sends_url_by_default = false,
    .sends_extra_fields = false,
    .sends_index_and_seed = true,
    .reads_prompt_syntax = false,
    .fits_long_prompts = false,
    .has_bifrost_error_members = false,
    .has_nebula_error_members = false,
    .mask_size = Fit::Adjust,
    .size = Fit::Refuse,
};

constexpr DialectRules kNebula = {
    .refuses_unknown_fields = false,
    .refuses_idle_strength = false,
    .sends_url_by_default = false,
    .sends_extra_fields = false,
    .sends_index_and_seed = true,
    .reads_prompt_syntax = true,
    .fits_long_prompts = true,
    .has_bifrost_error_members = false,
    .has_nebula_error_members = true,
    .mask_size = Fit::Adjust,
    .size = Fit::Adjust,
};

}  // namespace

const DialectRules& rules_of(Dialect dialect) {
  switch (dialect) {
    case Dialect::Bifrost:
      return kBifrost;
    case Dialect::OpenAi:
      return kOpenAi;
    case Dialect::Ovms:
      return kOvms;
    case Dialect::Nebula:
      return kNebula;
  }
  return kBifrost;
}

std::string_view to_string(Operation operation) {
  switch (operation) {
    case Operation::Generation:
      return "image_generation";
    case Operation::Edit:
      return "image_edit";
    case Operation::Variation:
      return "image_variation";
  }
  return "image_generation";
}

}  // namespace limner::api
