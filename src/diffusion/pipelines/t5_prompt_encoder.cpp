#include "diffusion/pipelines/t5_prompt_encoder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/latent_pipeline.hpp"

namespace limner::pipelines {
namespace {

constexpr std::size_t kOutputsKept = 16;  // of up to 512 x 4096 numbers each

}  // namespace

Result<void> check_t5_length(const GenerationRequest& request) {
  const int length = request.sampling.max_sequence_length.value_or(1);
  if (length >= 1 && length <= kT5LengthMax) return {};
  return invalid_value(
      "max_sequence_length",
      fmt::format("max_sequence_length: got {}, expected 1 to {}", length, kT5LengthMax));
}

T5PromptEncoder::T5PromptEncoder(tokenizers::T5Tokenizer tokenizer,
                                 models::T5EncoderModel text_encoder)
    : tokenizer_(std::move(tokenizer)),
      text_encoder_(std::move(text_encoder)),
      outputs_(kOutputsKept) {}

Result<T5PromptEncoder> T5PromptEncoder::load(runtime::Runtime& runtime, const ModelFolder& folder,
                                              const std::string& number,
                                              nn::WeightFormat weight_format) {
  auto tokenizer = folder.open_t5_tokenizer(number);
  if (!tokenizer) return tokenizer.error();
  const std::string name = "text_encoder" + number;
  auto component = folder.open_component(name);
  if (!component) return component.error();
  const auto scale = NetworkScale::of(component->weights->size_bytes());
  auto text_encoder = models::T5EncoderModel::load(
      runtime, *std::move(component),
      {.weight_format = weight_format, .shapes_max = scale.shapes_max});
  if (!text_encoder) return text_encoder.error();
  auto fits = check_vocabulary(number, tokenizer->vocab_size(), text_encoder->config().vocab_size);
  if (!fits) return fits.error();
  return T5PromptEncoder(*std::move(tokenizer), *std::move(text_encoder));
}

Result<void> T5PromptEncoder::check(const PromptField& prompt, int length, bool truncates,
                                    EffectiveParams& effective) const {
  const std::size_t tokens = tokenizer_.encode(prompt.text).size();
  const auto room = static_cast<std::size_t>(length) - tokenizer_.frame().marks();
  effective.text_tokens += static_cast<int>(std::min(tokens, room));
  if (tokens <= room) return {};
  if (!truncates) {
    const auto asked = static_cast<std::size_t>(length);
    return under_field(tokenizer_.encode_padded(prompt.text, asked).error(), prompt.field);
  }
  effective.notes.push_back(
      fmt::format("{} was cut to its first {} of {} tokens", prompt.field, room, tokens));
  return {};
}

Result<std::shared_ptr<const runtime::Tensor>> T5PromptEncoder::encode(const PromptField& prompt,
                                                                       int length, bool truncates) {
  const std::string key = fmt::format("{} {}", length, prompt.text);
  if (const auto* known = outputs_.find(key)) return *known;
  const auto asked = static_cast<std::size_t>(length);
  auto padded = truncates ? Result(tokenizer_.encode_truncated(prompt.text, asked))
                          : tokenizer_.encode_padded(prompt.text, asked);
  if (!padded) return under_field(padded.error(), prompt.field);
  auto output = text_encoder_.run(padded->ids);
  if (!output) return output.error();
  return outputs_.put(key, std::make_shared<const runtime::Tensor>(*std::move(output)));
}

}  // namespace limner::pipelines
