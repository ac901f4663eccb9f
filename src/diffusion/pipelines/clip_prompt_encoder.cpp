#include "diffusion/pipelines/clip_prompt_encoder.hpp"

#include <algorithm>
#include <numeric>
#include <span>
#include <utility>

#include <fmt/format.h>

namespace limner::pipelines {
namespace {

constexpr std::size_t kOutputsKept = 64;

double mean_of(std::span<const float> values) {
  return std::accumulate(values.begin(), values.end(), 0.0) / static_cast<double>(values.size());
}

// Each token's row times its weight, then all of the window scaled so that its mean is what it was:
// what the web UIs do. hidden [1, S, D], weights [S].
void emphasize(std::span<float> hidden, std::span<const float> weights) {
  if (std::ranges::all_of(weights, [](float weight) { return weight == 1.0f; })) return;
  const double before = mean_of(hidden);
  const std::size_t width = hidden.size() / weights.size();
  for (std::size_t i = 0; i < hidden.size(); ++i) hidden[i] *= weights[i / width];
  const double after = mean_of(hidden);
  if (after == 0) return;
  const auto scale = static_cast<float>(before / after);
  for (float& value : hidden) value *= scale;
}

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
  auto text_encoder = models::ClipTextModel::load(runtime, *component);
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

tokenizers::ChunkRules ClipPromptEncoder::rules(const ClipReading& how) const {
  return {.window = max_length(),
          .chunks_max = static_cast<std::size_t>(how.reading.chunks_max),
          .truncates = how.truncates};
}

Result<std::vector<tokenizers::WeightedText>> ClipPromptEncoder::split(
    const PromptField& prompt, const ClipReading& how) const {
  if (!how.reading.has_weights) return std::vector{tokenizers::WeightedText{.text = prompt.text}};
  auto stretches = tokenizers::parse_prompt_weights(prompt.text);
  if (!stretches) return under_field(stretches.error(), prompt.field);
  return stretches;
}

Result<ClipPromptEncoder::Chunks> ClipPromptEncoder::chunk(const PromptField& prompt,
                                                           const ClipReading& how,
                                                           std::size_t chunk_count) const {
  const auto stretches = split(prompt, how);
  if (!stretches) return stretches.error();
  const auto encode = [&](std::string_view text) { return tokenizer_.encode(text); };
  auto chunks = tokenizers::make_prompt_chunks(*stretches, encode, tokenizer_.frame(), rules(how));
  if (!chunks) return under_field(chunks.error(), prompt.field);
  tokenizers::pad_prompt_chunks(*chunks, chunk_count, tokenizer_.frame(), rules(how));
  return chunks;
}

Result<void> ClipPromptEncoder::check(const PromptField& prompt, const ClipReading& how,
                                      EffectiveParams& effective) const {
  const auto stretches = split(prompt, how);
  if (!stretches) return stretches.error();
  std::size_t tokens = 0;
  for (const auto& stretch : *stretches) tokens += tokenizer_.encode(stretch.text).size();
  const auto chunks = chunk(prompt, how, 1);
  if (!chunks) return chunks.error();
  std::size_t read = 0;
  for (const auto& one : *chunks) {
    const auto marked = std::ranges::count(one.attention_mask, 1);
    read += static_cast<std::size_t>(marked) - tokenizer_.frame().marks();
  }
  effective.text_tokens += static_cast<int>(read);
  if (read < tokens) {
    effective.notes.push_back(
        fmt::format("{} was cut to its first {} of {} tokens", prompt.field, read, tokens));
  }
  return {};
}

std::size_t ClipPromptEncoder::count_chunks(const std::string& text, const ClipReading& how) const {
  if (how.reading.chunks_max == 1) return 1;
  const auto chunks = chunk({"prompt", text}, how, 1);
  return chunks ? chunks->size() : 1;
}

Result<std::shared_ptr<const ClipPromptEncoder::Output>> ClipPromptEncoder::encode(
    const PromptField& prompt, const Layer& layer, const ClipReading& how,
    std::size_t chunk_count) {
  const std::string key =
      fmt::format("{} {} {} {} {} {}", layer.skip, layer.apply_final_norm, how.reading.chunks_max,
                  how.reading.has_weights, chunk_count, prompt.text);
  if (const auto* known = outputs_.find(key)) return *known;
  const auto chunks = chunk(prompt, how, chunk_count);
  if (!chunks) return chunks.error();
  auto output = run(*chunks, layer);
  if (!output) return output.error();
  return outputs_.put(key, std::make_shared<const Output>(*std::move(output)));
}

Result<ClipPromptEncoder::Output> ClipPromptEncoder::run(const Chunks& chunks, const Layer& layer) {
  std::optional<Output> all;
  for (std::size_t i = 0; i < chunks.size(); ++i) {
    // One window a call, as for any prompt: no other shape is compiled.
    auto output = text_encoder_.run({chunks[i].ids}, layer.skip, layer.apply_final_norm);
    if (!output) return output.error();
    emphasize(output->hidden.data(), chunks[i].weights);
    if (chunks.size() == 1) return output;
    if (!all) {
      const auto& shape = output->hidden.shape();
      all = Output{.hidden = runtime::Tensor({1, chunks.size() * shape[1], shape[2]}),
                   .pooled = std::move(output->pooled)};
    }
    const auto window = std::as_const(output->hidden).data();
    std::ranges::copy(window, all->hidden.data().subspan(i * window.size()).begin());
  }
  return *std::move(all);
}

}  // namespace limner::pipelines
