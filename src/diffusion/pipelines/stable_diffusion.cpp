#include "diffusion/pipelines/stable_diffusion.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "diffusion/pipelines/request_checks.hpp"

namespace limner::pipelines {
namespace {

constexpr std::size_t kEmbedsKept = 64;

// The error of a long text, under the request's own field name.
Error renamed(Error error, std::string_view field) {
  if (error.message.starts_with("prompt:")) {
    error.message = std::string(field) + error.message.substr(6);
  }
  error.param = std::string(field);
  return error;
}

}  // namespace

StableDiffusionPipeline::StableDiffusionPipeline(Parts parts, ModelTraits traits,
                                                 tokenizers::ClipTokenizer tokenizer,
                                                 models::ClipTextModel text_encoder)
    : UNetPipeline(std::move(parts), std::move(traits)),
      tokenizer_(std::move(tokenizer)),
      text_encoder_(std::move(text_encoder)),
      embeds_(kEmbedsKept) {}

Result<std::unique_ptr<Pipeline>> StableDiffusionPipeline::load(const std::string& name,
                                                                const ModelFolder& folder,
                                                                runtime::Runtime& runtime,
                                                                nn::WeightFormat weight_format) {
  auto tokenizer = tokenizers::ClipTokenizer::load(folder.component("tokenizer"));
  if (!tokenizer) return tokenizer.error();
  auto text_component = models::Component::open(folder.component("text_encoder"), "text_encoder");
  if (!text_component) return text_component.error();
  auto text_encoder = models::ClipTextModel::load(runtime, *std::move(text_component));
  if (!text_encoder) return text_encoder.error();
  auto parts = open_parts(runtime, folder, weight_format);
  if (!parts) return parts.error();
  ModelTraits traits = derive_traits(name, folder, *parts);
  if (auto ok = folder.apply_own_defaults(traits); !ok) return ok.error();

  const auto& text = text_encoder->config();
  if (static_cast<std::int64_t>(tokenizer->vocab_size()) > text.vocab_size) {
    return invalid_value("",
                         fmt::format("{}: the tokenizer has {} tokens, text_encoder takes {}", name,
                                     tokenizer->vocab_size(), text.vocab_size),
                         "invalid_model");
  }
  if (text.hidden_size != parts->unet.config().text_width()) {
    return invalid_value("",
                         fmt::format("{}: text_encoder is {} wide, the unet expects {}", name,
                                     text.hidden_size, parts->unet.config().text_width()),
                         "invalid_model");
  }
  return std::unique_ptr<Pipeline>(new StableDiffusionPipeline(
      *std::move(parts), std::move(traits), *std::move(tokenizer), *std::move(text_encoder)));
}

std::size_t StableDiffusionPipeline::max_length() const {
  const auto positions = static_cast<std::size_t>(text_encoder_.config().max_position_embeddings);
  const std::size_t own = tokenizer_.model_max_length();
  return own == 0 ? positions : std::min(own, positions);
}

int StableDiffusionPipeline::sequence_length(const GenerationRequest&) const {
  return static_cast<int>(max_length());
}

Result<EffectiveParams> StableDiffusionPipeline::check(const GenerationRequest& request) const {
  auto effective = check_common(request, traits());
  if (!effective) return effective;
  const int skip = request.sampling.clip_skip.value_or(0);
  const auto layers = text_encoder_.config().num_hidden_layers;
  if (skip < 0 || skip >= layers) {
    return invalid_value("clip_skip",
                         fmt::format("clip_skip: got {}, expected 0 to {}", skip, layers - 1));
  }
  const std::string& negative = request.prompt.negative;
  for (const auto& [field, text] : {std::pair{std::string_view("prompt"), &request.prompt.text},
                                    std::pair{std::string_view("negative_prompt"), &negative}}) {
    const std::size_t tokens = tokenizer_.encode(*text).size();
    const std::size_t room = max_length() - tokenizer_.frame().marks();
    effective->text_tokens += static_cast<int>(std::min(tokens, room));
    if (tokens <= room) continue;
    if (!request.truncates_prompt) {
      return renamed(tokenizer_.encode_padded(*text, max_length()).error(), field);
    }
    effective->notes.push_back(
        fmt::format("{} was cut to its first {} of {} tokens", field, room, tokens));
  }
  if (!negative.empty() && !is_guided(request)) {
    effective->notes.push_back("negative_prompt has no effect without guidance");
  }
  return effective;
}

Result<std::shared_ptr<const runtime::Tensor>> StableDiffusionPipeline::encode_text(
    const std::string& text, int clip_skip, bool truncates) {
  const std::string key = fmt::format("{} {}", clip_skip, text);
  if (const auto* known = embeds_.find(key)) return *known;
  auto padded = truncates
                    ? Result<tokenizers::PaddedIds>(tokenizer_.encode_truncated(text, max_length()))
                    : tokenizer_.encode_padded(text, max_length());
  if (!padded) return padded.error();
  auto output = text_encoder_.run({padded->ids}, clip_skip);
  if (!output) return output.error();
  auto embeds = std::make_shared<const runtime::Tensor>(std::move(output->hidden));
  embeds_.put(key, embeds);
  return embeds;
}

Result<GuidedConditioning> StableDiffusionPipeline::encode(const GenerationRequest& request,
                                                           bool guided) {
  const int skip = request.sampling.clip_skip.value_or(0);
  auto text = encode_text(request.prompt.text, skip, request.truncates_prompt);
  if (!text) return text.error();
  GuidedConditioning conditioning{.text = {.prompt_embeds = *text}, .uncond = std::nullopt};
  if (guided) {
    // diffusers' clip_skip leaves the negative prompt alone.
    auto uncond = encode_text(request.prompt.negative, 0, request.truncates_prompt);
    if (!uncond) return uncond.error();
    conditioning.uncond = Conditioning{.prompt_embeds = *uncond};
  }
  return conditioning;
}

}  // namespace limner::pipelines
