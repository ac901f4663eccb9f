#include "diffusion/pipelines/lora_pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/log.hpp"
#include "diffusion/tokenizers/lora_tags.hpp"

namespace limner::pipelines {

namespace fs = std::filesystem;

namespace {

constexpr std::size_t kFilesMax = 10'000;
constexpr std::size_t kLorasKept = 8;
constexpr std::size_t kLorasPerRequestMax = 16;
constexpr double kStrengthMax = 10;
constexpr std::size_t kNamesShown = 10;

ModelTraits with_names(ModelTraits traits, const LoraPipeline::Parts& parts) {
  for (const auto& [name, file] : parts.files) traits.adapters.push_back(name);
  return traits;
}

Error unknown_lora(std::string_view field, const std::string& name,
                   const std::vector<std::string>& known) {
  const std::size_t shown = std::min(known.size(), kNamesShown);
  return invalid_value(
      std::string(field),
      fmt::format(
          "{}: this model has no LoRA \"{:.64}\"; it has {}{}", field, name,
          fmt::join(known.begin(), known.begin() + static_cast<std::ptrdiff_t>(shown), ", "),
          known.size() > shown ? ", …" : ""),
      "unknown_lora");
}

// A sentence for the client about tensors that had no effect.
std::vector<std::string> describe_leftovers(const std::string& name, const weights::Lora& lora) {
  const auto& leftovers = lora.leftovers();
  if (leftovers.empty()) return {};
  const auto& first = leftovers.front();
  return {fmt::format("lora {}: {} of its tensors had no effect, the first is {:.128}: {}", name,
                      leftovers.size(), first.name, first.reason)};
}

}  // namespace

// What a request is to its variant, with what LoRAs did not do added to the answer.
class LoraPipeline::State final : public DenoiseState {
 public:
  State(const Variant& variant, std::unique_ptr<DenoiseState> inner)
      : pipeline_(variant.pipeline), inner_(std::move(inner)), effective_(inner_->effective()) {
    effective_.notes.insert(effective_.notes.end(), variant.notes.begin(), variant.notes.end());
  }

  int step_index() const override { return inner_->step_index(); }
  int step_count() const override { return inner_->step_count(); }
  const EffectiveParams& effective() const override { return effective_; }

  Pipeline& pipeline() const { return *pipeline_; }
  DenoiseState& inner() const { return *inner_; }

 private:
  std::shared_ptr<Pipeline> pipeline_;  // shared: the variant may be dropped meanwhile
  std::unique_ptr<DenoiseState> inner_;
  EffectiveParams effective_;
};

LoraPipeline::LoraPipeline(Parts parts)
    : parts_(std::move(parts)),
      traits_(with_names(parts_.base->traits(), parts_)),
      variants_(parts_.variants_max),
      loras_(kLorasKept) {}

std::string LoraPipeline::Asked::key() const {
  std::string key;
  for (const auto& [name, strength] : strengths) {
    key += fmt::format("{}{}:{}", key.empty() ? "" : ",", name, strength);
  }
  return key;
}

// Names that come twice add up, as two additions of one file would.
Result<LoraPipeline::Asked> LoraPipeline::parse(const GenerationRequest& request) const {
  Asked asked{.request = request, .strengths = {}};
  asked.request.adapters.clear();
  const auto add = [&](std::string_view field, const std::string& name,
                       double strength) -> Result<void> {
    if (!parts_.files.contains(name)) return unknown_lora(field, name, traits_.adapters);
    if (!(std::abs(strength) <= kStrengthMax)) {
      return invalid_value(std::string(field),
                           fmt::format("{}: got a strength of {}, expected {} to {}", field,
                                       strength, -kStrengthMax, kStrengthMax));
    }
    asked.strengths[name] += strength;
    return {};
  };
  for (const auto& adapter : request.adapters) {
    if (auto added = add("lora_alphas", adapter.name, adapter.scale); !added) return added.error();
  }
  auto tags = tokenizers::extract_lora_tags(request.prompt.text);
  if (!tags) return tags.error();
  asked.request.prompt.text = std::move(tags->prompt);
  for (const auto& tag : tags->loras) {
    if (auto added = add("prompt", tag.name, tag.strength); !added) return added.error();
  }
  if (asked.strengths.size() > kLorasPerRequestMax) {
    return invalid_value("lora_alphas", fmt::format("lora_alphas: got {} LoRAs, at most {} at once",
                                                    asked.strengths.size(), kLorasPerRequestMax));
  }
  std::erase_if(asked.strengths, [](const auto& entry) { return entry.second == 0; });
  return asked;
}

BatchShape LoraPipeline::batch_shape(const GenerationRequest& request) const {
  const auto asked = parse(request);
  if (!asked) return parts_.base->batch_shape(request);  // check() refuses it
  BatchShape shape = parts_.base->batch_shape(asked->request);
  shape.key.adapters = asked->key();
  return shape;
}

Result<EffectiveParams> LoraPipeline::check(const GenerationRequest& request) const {
  const auto asked = parse(request);
  if (!asked) return asked.error();
  return parts_.base->check(asked->request);
}

Result<std::shared_ptr<const weights::Lora>> LoraPipeline::find_lora(const std::string& name) {
  if (const auto* known = loras_.find(name)) return *known;
  const fs::path& path = parts_.files.find(name)->second;
  auto file = weights::open_safetensors(path);
  if (!file) {
    return Error{.kind = ErrorKind::Internal,
                 .message = fmt::format("lora {}: its file cannot be read", name),
                 .code = "invalid_lora",
                 .detail = file.error().message};
  }
  auto lora =
      weights::Lora::read(*file, "lora " + name, weights::file_fingerprint(path), parts_.networks);
  if (!lora) return lora.error();
  return loras_.put(name, std::make_shared<const weights::Lora>(*std::move(lora)));
}

Result<LoraPipeline::Variant> LoraPipeline::find_variant(const Asked& asked) {
  if (asked.strengths.empty()) return Variant{.pipeline = parts_.base, .notes = {}};
  const std::string key = asked.key();
  if (const auto* known = variants_.find(key)) return *known;
  std::vector<weights::AppliedLora> applied;
  std::vector<std::string> notes;
  for (const auto& [name, strength] : asked.strengths) {
    auto lora = find_lora(name);
    if (!lora) return lora.error();
    std::ranges::move(describe_leftovers(name, **lora), std::back_inserter(notes));
    applied.push_back({.lora = *std::move(lora), .strength = static_cast<float>(strength)});
  }
  variants_.make_room();
  auto pipeline = parts_.load_variant(applied);
  if (!pipeline) return pipeline.error();
  log::info("{}: made a variant with {}", traits_.name, key);
  return variants_.put(key, {.pipeline = *std::move(pipeline), .notes = std::move(notes)});
}

Result<std::unique_ptr<DenoiseState>> LoraPipeline::prepare(const GenerationRequest& request) {
  const auto asked = parse(request);
  if (!asked) return asked.error();
  auto variant = find_variant(*asked);
  if (!variant) return variant.error();
  auto inner = variant->pipeline->prepare(asked->request);
  if (!inner) return inner.error();
  return std::unique_ptr<DenoiseState>(new State(*variant, *std::move(inner)));
}

std::vector<Result<void>> LoraPipeline::step(std::span<DenoiseState* const> states) {
  if (states.empty()) return {};
  // One key, so one set of LoRAs; a variant that was dropped and made again is another object with
  // equal weights.
  std::vector<DenoiseState*> inner;
  for (auto* state : states) inner.push_back(&static_cast<State&>(*state).inner());
  return static_cast<State&>(*states.front()).pipeline().step(inner);
}

Result<std::vector<Image>> LoraPipeline::decode(DenoiseState& state, DecodeQuality quality) {
  auto& own = static_cast<State&>(state);
  return own.pipeline().decode(own.inner(), quality);
}

Result<std::map<std::string, fs::path, std::less<>>> find_loras(const fs::path& dir) {
  std::error_code failed;
  std::map<std::string, fs::path, std::less<>> files;
  fs::recursive_directory_iterator entries(dir, failed);
  for (const auto end = fs::recursive_directory_iterator(); !failed && entries != end;
       entries.increment(failed)) {
    if (entries->path().extension() != ".safetensors") continue;
    auto name = fs::path(entries->path()).replace_extension().lexically_relative(dir).string();
    files.emplace(std::move(name), entries->path());
    if (files.size() == kFilesMax) break;
  }
  if (!failed) return files;
  return invalid_value("", fmt::format("--lora-dir {}: {}", dir.string(), failed.message()),
                       "invalid_config");
}

}  // namespace limner::pipelines
