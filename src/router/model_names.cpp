#include "router/model_names.hpp"

#include <algorithm>
#include <array>

namespace limner::router {
namespace {

constexpr std::array<std::string_view, 34> kProviders = {
    "local",         "openai",       "azure",      "azure_ai",   "custom_openai", "openai_like",
    "litellm_proxy", "hosted_vllm",  "vllm",       "sgl",        "xinference",    "ollama",
    "openrouter",    "anthropic",    "bedrock",    "cerebras",   "cohere",        "elevenlabs",
    "fireworks",     "fireworks_ai", "gemini",     "groq",       "huggingface",   "mistral",
    "nebius",        "parasail",     "perplexity", "replicate",  "runway",        "together_ai",
    "vertex",        "vertex_ai",    "xai",        "nvidia_nim",
};

}  // namespace

std::optional<std::string_view> after_provider(std::string_view name) {
  const auto slash = name.find('/');
  if (slash == name.npos) return std::nullopt;
  if (std::ranges::find(kProviders, name.substr(0, slash)) == kProviders.end()) return std::nullopt;
  return name.substr(slash + 1);
}

std::string_view without_providers(std::string_view name) {
  while (const auto rest = after_provider(name)) name = *rest;
  return name;
}

bool is_gpt_image(std::string_view name) {
  return name.starts_with("gpt-image") || name.starts_with("chatgpt-image");
}

bool is_openai_image_model(std::string_view name) {
  return is_gpt_image(name) || name.starts_with("dall-e");
}

}  // namespace limner::router
