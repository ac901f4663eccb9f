#include "diffusion/pipelines/clip_prompt_encoder.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

namespace limner::pipelines {
namespace {

constexpr std::size_t kOutputsKept = 64;

}  // namespace

const std::string& own_or(const std::optional<std::string>& own, const std::string& first) {
  return own && !own->empty() ? *own : first;
}

Error under_field(Error error, std::string_view field) {
  if (error.message.starts_with("prompt:")) {
    error.message = std::string(field) + error.message.substr(6);
  }
  error.param = std::string(field);
  return error;
}

Result<void> check_vocabulary(const std::string& number, std::size_t tokens,
                              std::int64_t vocab_size) {
  if (static_cast<std::int64_t>(tokens) <= vocab_size) return {};
  return invalid_value("",
                       fmt::format("tokenizer{} has {} tokens, text_encoder{} takes {}", number,
                                   tokens, number, vocab_size),
                       "invalid_model");
}

ClipPromptEncoder::ClipPromptEncoder(tokenizers::ClipTokenizer tokenizer,
                                     models::ClipTextModel text_encoder)
    : tokenizer_(std::move(tokenizer)),
      text_encoder_(std::move(text_encoder)),
      outputs_(kOutputsKept) {}

Result<ClipPromptEncoder> ClipPromptEncoder::load(runtime::Runtime& runtime,
                                                  const ModelFolder& folder,
                                                  const std::string& number) {
  auto tokenizer = folder.open_clip_tokenizer(number);
  if (!tokenizer) return tokenizer.error();
  const std::string name = "text_encoder" + number;
  auto component = folder.open_component(name);
  if (!component) return component.error();
  auto text_encoder = models::ClipTextModel::load(runtime, *std::move(component));
  if (!text_encoder) return text_encoder.error();
  auto fits = check_vocabulary(number, tokenizer->vocab_size(), text_encoder->config().vocab_size);
  if (!fits) return fits.error();
  return ClipPromptEncoder(*std::move(tokenizer), *std::move(text_encoder));
}

std::size_t ClipPromptEncoder::max_length() const {
  const auto positions = static_cast<std::size_t>(config().max_position_embeddings);
  const std::size_t own = tokenizer_.model_max_length();
  return own == 0 ? positions : std::min(own, positions);
}

Result<void> ClipPromptEncoder::check(const PromptField& prompt, bool truncates,
                                      EffectiveParams& effective) const {
  const std::size_t tokens = tokenizer_.encode(prompt.text).size();
  const std::size_t room = max_length() - tokenizer_.frame().marks();
  effective.text_tokens += static_cast<int>(std::min(tokens, room));
  if (tokens <= room) return {};
  if (!truncates) {
    return under_field(tokenizer_.encode_padded(prompt.text, max_length()).error(), prompt.field);
  }
  effective.notes.push_back(
      fmt::format("{} was cut to its first {} of {} tokens", prompt.field, room, tokens));
  return {};
}

Result<std::shared_ptr<const ClipPromptEncoder::Output>> ClipPromptEncoder::encode(
    const PromptField& prompt, int skip, bool apply_final_norm, bool truncates) {
  const std::string key = fmt::format("{} {} {}", skip, apply_final_norm, prompt.text);
  if (const auto* known = outputs_.find(key)) return *known;
  auto padded = truncates ? Result(tokenizer_.encode_truncated(prompt.text, max_length()))
                          : tokenizer_.encode_padded(prompt.text, max_length());
  if (!padded) return under_field(padded.error(), prompt.field);
  auto output = text_encoder_.run({padded->ids}, skip, apply_final_norm);
  if (!output) return output.error();
  return outputs_.put(key, std::make_shared<const Output>(*std::move(output)));
}

}  // namespace limner::pipelines
