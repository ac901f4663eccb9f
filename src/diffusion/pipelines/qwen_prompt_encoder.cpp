#include "diffusion/pipelines/qwen_prompt_encoder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/latent_pipeline.hpp"

namespace limner::pipelines {
namespace {

constexpr std::size_t kOutputsKept = 16;  // of up to 512 x 2560 numbers each

}  // namespace

QwenPromptEncoder::QwenPromptEncoder(tokenizers::Qwen2Tokenizer tokenizer,
                                     models::Qwen3Model text_encoder)
    : tokenizer_(std::move(tokenizer)),
      text_encoder_(std::move(text_encoder)),
      frame_size_(tokenizer_.encode_as_message("").size()),
      outputs_(kOutputsKept) {}

Result<QwenPromptEncoder> QwenPromptEncoder::load(runtime::Runtime& runtime,
                                                  const ModelFolder& folder,
                                                  nn::WeightFormat weight_format) {
  auto tokenizer = folder.open_qwen2_tokenizer("");
  if (!tokenizer) return tokenizer.error();
  auto component = folder.open_component("text_encoder");
  if (!component) return component.error();
  const auto scale = NetworkScale::of(component->weights->size_bytes());
  auto text_encoder =
      models::Qwen3Model::load(runtime, *std::move(component),
                               {.weight_format = weight_format, .shapes_max = scale.shapes_max});
  if (!text_encoder) return text_encoder.error();
  auto fits = check_vocabulary("", tokenizer->vocab_size(), text_encoder->config().vocab_size);
  if (!fits) return fits.error();
  return QwenPromptEncoder(*std::move(tokenizer), *std::move(text_encoder));
}

int QwenPromptEncoder::length(const PromptField& prompt, int length_max) const {
  const auto tokens = tokenizer_.encode_as_message(prompt.text).size();
  return static_cast<int>(std::min(tokens, static_cast<std::size_t>(length_max)));
}

Result<void> QwenPromptEncoder::check(const PromptField& prompt, int length_max, bool truncates,
                                      EffectiveParams& effective) const {
  const auto asked = static_cast<std::size_t>(length_max);
  const std::size_t all = tokenizer_.encode_as_message(prompt.text).size();
  const std::size_t room = asked - std::min(asked, frame_size_);
  const std::size_t tokens = all - std::min(all, frame_size_);
  effective.text_tokens += static_cast<int>(std::min(tokens, room));
  if (all <= asked) return {};
  if (!truncates) return under_field(tokenizers::prompt_too_long(tokens, room), prompt.field);
  effective.notes.push_back(
      fmt::format("{} was cut to its first {} of {} tokens", prompt.field, room, tokens));
  return {};
}

Result<std::shared_ptr<const runtime::Tensor>> QwenPromptEncoder::encode(const PromptField& prompt,
                                                                         int length_max) {
  const std::string key = fmt::format("{} {}", length_max, prompt.text);
  if (const auto* known = outputs_.find(key)) return *known;
  auto ids = tokenizer_.encode_as_message(prompt.text);
  ids.resize(std::min(ids.size(), static_cast<std::size_t>(length_max)));
  auto output = text_encoder_.run(ids);
  if (!output) return output.error();
  return outputs_.put(key, std::make_shared<const runtime::Tensor>(*std::move(output)));
}

}  // namespace limner::pipelines
