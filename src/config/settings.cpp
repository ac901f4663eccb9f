#include "config/settings.hpp"

#include <array>
#include <cctype>
#include <utility>

#include "config/parse_value.hpp"

namespace limner::config {
namespace {

constexpr int kPromptChunksMax = 16;  // each is a run of the text encoders
constexpr unsigned kPaints = kGenerate | kBench;
constexpr unsigned kLoads = kServe | kPaints;
constexpr unsigned kNames = kModels | kKeys;  // only need to know what is served

template <typename To, typename From>
Result<void> assign(To& to, Result<From> from) {
  if (!from) return from.error();
  to = static_cast<To>(*std::move(from));
  return {};
}

// optional<int> from a wider integer.
Result<void> assign(std::optional<int>& to, const Result<std::int64_t>& from) {
  if (!from) return from.error();
  to = static_cast<int>(*from);
  return {};
}

Result<void> assign_text(std::string& to, const RawValues& values) {
  to = values.front().text;
  return {};
}

Result<void> assign_path(std::filesystem::path& to, const RawValues& values) {
  to = values.front().text;
  return {};
}

Result<void> assign_texts(std::vector<std::string>& to, const RawValues& values) {
  to.clear();
  for (const auto& raw : values) to.push_back(raw.text);
  return {};
}

Result<void> apply_host(Config& c, const RawValues& v) {
  if (v.front().text.empty()) return unexpected(v.front(), "an address such as 127.0.0.1 or ::1");
  return assign_text(c.host, v);
}

Result<void> apply_public_url(Config& c, const RawValues& v) {
  auto url = v.front().text;
  while (url.ends_with('/')) url.pop_back();
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return unexpected(v.front(), "an address that begins with http:// or https://");
  }
  c.public_url = std::move(url);
  return {};
}

// NAME=DIR, or DIR alone, which is then named after its last part. A model that the file describes
// keeps its limits and defaults.
Result<void> apply_models(Config& c, const RawValues& v) {
  std::vector<ModelConfig> models;
  for (const auto& raw : v) {
    ModelConfig model;
    if (raw.text.find('=') == std::string::npos) {
      model.path = raw.text;
      auto last = model.path.filename();
      model.name = (last.empty() ? model.path.parent_path().filename() : last).string();
      if (last.extension() == ".safetensors") model.name = last.stem().string();
      // `--model sdxl` may also mean a model that the file names.
      for (const auto& known : c.models) {
        if (known.name == raw.text) model.path = known.path;
      }
    } else {
      auto pair = parse_pair(raw);
      if (!pair) return unexpected(raw, "NAME=DIR, a name and the folder or file of a model");
      model.name = pair->first;
      model.path = pair->second;
    }
    for (const auto& known : c.models) {
      if (known.name != model.name) continue;
      auto path = std::move(model.path);
      model = known;
      model.path = std::move(path);
    }
    for (const auto& earlier : models) {
      if (earlier.name == model.name) return unexpected(raw, "each model name once");
    }
    if (model.name.empty()) return unexpected(raw, "NAME=DIR");
    models.push_back(std::move(model));
  }
  c.models = std::move(models);
  return {};
}

// The flags below are for every served model that the file gives nothing else.
Result<void> need_models(const Config& c, const RawValues& v) {
  if (!c.models.empty()) return {};
  return invalid_value("", v.front().where + ": needs --model, the model that it belongs to",
                       "invalid_config");
}

Result<void> apply_extra(Config& c, const RawValues& v,
                         std::filesystem::path ModelExtras::* extra) {
  if (auto ok = need_models(c, v); !ok) return ok;
  for (auto& model : c.models) {
    if ((model.extras.*extra).empty()) model.extras.*extra = v.front().text;
  }
  return {};
}

Result<void> apply_text_encoders(Config& c, const RawValues& v) {
  if (auto ok = need_models(c, v); !ok) return ok;
  for (const auto& raw : v) {
    const auto pair = parse_pair(raw);
    if (!pair || (pair->first != "text_encoder" && pair->first != "text_encoder_2" &&
                  pair->first != "text_encoder_3")) {
      return unexpected(raw,
                        "NAME=PATH, where NAME is text_encoder, text_encoder_2 or "
                        "text_encoder_3");
    }
    for (auto& model : c.models) model.extras.text_encoders.emplace(pair->first, pair->second);
  }
  return {};
}

Result<void> apply_aliases(Config& c, const RawValues& v) {
  std::map<std::string, std::string> aliases;
  for (const auto& raw : v) {
    auto pair = parse_pair(raw);
    if (!pair) return unexpected(raw, "NAME=MODEL, another name and the model it stands for");
    aliases[pair->first] = pair->second;
  }
  c.aliases = std::move(aliases);
  return {};
}

Result<void> apply_api_keys(Config& c, const RawValues& v) {
  std::vector<std::string> keys;
  for (const auto& raw : v) {
    auto key = parse_api_key(raw);
    if (!key) return key.error();
    keys.push_back(*std::move(key));
  }
  c.api_keys = std::move(keys);
  return {};
}

Result<void> apply_precision(Config& c, const RawValues& v) {
  for (const auto p : {Precision::Auto, Precision::F32, Precision::Bf16}) {
    if (v.front().text != to_string(p)) continue;
    c.precision = p;
    return {};
  }
  return unexpected(v.front(), "auto, f32 or bf16");
}

Result<void> apply_weights(Config& c, const RawValues& v) {
  using enum WeightFormat;
  for (const auto w : {Auto, F16, Bf16, Int8}) {
    if (v.front().text != to_string(w)) continue;
    c.weights = w;
    return {};
  }
  return unexpected(v.front(), "auto, f16, bf16 or int8");
}

Result<void> apply_matting(Config& c, const RawValues& v) {
  using enum MattingMethod;
  for (const auto m : {Auto, Network, Classical}) {
    if (v.front().text != to_string(m)) continue;
    c.matting = m;
    return {};
  }
  return unexpected(v.front(), "auto, network or classical");
}

Result<void> apply_body_timeout(Config& c, const RawValues& v) {
  auto timeout = parse_duration(v.front());
  if (timeout && *timeout < std::chrono::seconds(1)) {
    return unexpected(v.front(), "a time of at least 1s");
  }
  return assign(c.body_timeout, std::move(timeout));
}

Result<void> apply_log_level(Config& c, const RawValues& v) {
  for (std::string_view level : {"trace", "debug", "info", "warn", "error", "off"}) {
    if (v.front().text == level) return assign_text(c.log_level, v);
  }
  return unexpected(v.front(), "trace, debug, info, warn, error or off");
}

using C = Config;
using V = RawValues;

constexpr std::array kSettings = {
    Setting{"host", "--host", "ADDRESS", Arity::One, kServe, "Listening",
            "Address to listen on [127.0.0.1]", apply_host},
    Setting{"port", "-p,--port", "PORT", Arity::One, kServe, "Listening",
            "Port to listen on; 0 picks a free one [8080]",
            [](C& c, const V& v) { return assign(c.port, parse_int(v[0], 0, 65535)); }},
    Setting{"public_url", "--public-url", "URL", Arity::One, kServe, "Listening",
            "How clients reach this server; begins every picture's url [the request's Host]",
            apply_public_url},
    Setting{"insecure", "--insecure", "", Arity::Switch, kServe, "Listening",
            "Serve other machines without any key",
            [](C& c, const V& v) { return assign(c.is_insecure, parse_bool(v[0])); }},
    Setting{"cors_origins", "--cors-origin", "ORIGIN", Arity::Many, kServe, "Listening",
            "Web page that may call this server from a browser; repeatable [none]",
            [](C& c, const V& v) { return assign_texts(c.cors_origins, v); }},
    Setting{"allowed_hosts", "--allowed-host", "HOST", Arity::Many, kServe, "Listening",
            "Further name of a server without keys, as in a url; repeatable [its addresses]",
            [](C& c, const V& v) { return assign_texts(c.allowed_hosts, v); }},
    Setting{"paint_by_get", "--paint-by-get", "", Arity::Switch, kServe, "Listening",
            "Paint by GET without any key too, which every web page can ask for",
            [](C& c, const V& v) { return assign(c.paints_by_get, parse_bool(v[0])); }},
    Setting{
        "connections", "--connections", "N", Arity::One, kServe, "Listening",
        "Open connections; beyond them only /health, /ready and /metrics are answered [16384]",
        [](C& c, const V& v) { return assign(c.connections_max, parse_int(v[0], 1, 1'000'000)); }},
    Setting{"connections_per_address", "--connections-per-address", "N", Arity::One, kServe,
            "Listening",
            "The same for one address or IPv6 /64 network; not for this machine, where a proxy may "
            "be [1024]",
            [](C& c, const V& v) {
              return assign(c.connections_per_address_max, parse_int(v[0], 1, 1'000'000));
            }},
    Setting{"body_timeout", "--body-timeout", "TIME", Arity::One, kServe, "Listening",
            "How long a request's body may take to arrive, however large [10m]",
            apply_body_timeout},
    Setting{"uploads_limit", "--uploads-limit", "SIZE", Arity::One, kServe, "Listening",
            "Disk space in the temporary folder for large files while they are received [2GiB]",
            [](C& c, const V& v) { return assign(c.uploads_bytes_max, parse_bytes(v[0])); }},

    Setting{
        "models", "-m,--model", "NAME=DIR", Arity::Many, kLoads | kNames, "Models",
        "Model to serve: a name and its folder or safetensors checkpoint; repeatable, the first "
        "is the default [the embedded one]",
        apply_models},
    Setting{"vae", "--vae", "PATH", Arity::One, kLoads, "Models",
            "Autoencoder in place of the model's own: a folder or a safetensors file",
            [](C& c, const V& v) { return apply_extra(c, v, &ModelExtras::vae); }},
    Setting{"text_encoders", "--text-encoder", "NAME=PATH", Arity::Many, kLoads, "Models",
            "Text encoder in place of the model's own, a folder or a safetensors file, such as "
            "text_encoder_2=t5xxl.safetensors; repeatable",
            apply_text_encoders},
    Setting{"model_configs", "--model-configs", "DIR", Arity::One, kLoads, "Models",
            "Diffusers folder with the configs and tokenizers of a checkpoint [deduced]",
            [](C& c, const V& v) { return apply_extra(c, v, &ModelExtras::configs); }},
    Setting{"lora_dir", "--lora-dir", "DIR", Arity::One, kLoads, "Models",
            "Folder of LoRA files that requests may name [none]",
            [](C& c, const V& v) { return apply_extra(c, v, &ModelExtras::lora_dir); }},
    Setting{"aliases", "--alias", "NAME=MODEL", Arity::Many, kServe | kNames, "Models",
            "Another name for a served model, tags of LoRAs behind it if you like; repeatable",
            apply_aliases},
    Setting{"precision", "--precision", "P", Arity::One, kLoads, "Models",
            "Arithmetic: auto (the faster one, as measured), f32 (equal to the reference) or "
            "bf16 [auto]",
            apply_precision},
    Setting{"weights", "--weights", "W", Arity::One, kLoads, "Models",
            "How weights are kept in memory: auto, f16, bf16 or int8 [auto]", apply_weights},
    Setting{"threads", "-t,--threads", "N", Arity::One, kLoads, "Models",
            "Cores to paint with; 0 takes all [0]",
            [](C& c, const V& v) { return assign(c.threads, parse_int(v[0], 0, 1024)); }},
    Setting{"cache_dir", "--cache-dir", "DIR", Arity::One, kLoads, "Models",
            "Where compiled models are kept [the user's cache folder]",
            [](C& c, const V& v) { return assign_path(c.cache_dir, v); }},
    Setting{"cache_limit", "--cache-limit", "SIZE", Arity::One, kLoads, "Models",
            "Disk space for compiled models; the least recently used go first [8GiB]",
            [](C& c, const V& v) { return assign(c.cache_bytes_max, parse_bytes(v[0])); }},
    Setting{"memory_limit", "--memory-limit", "SIZE", Arity::One, kServe, "Models",
            "Memory that loaded models may take, such as 8GiB; 0 is no limit [0]",
            [](C& c, const V& v) { return assign(c.memory_limit_bytes, parse_bytes(v[0])); }},
    Setting{"lora_variants", "--lora-variants", "N", Arity::One, kServe, "Models",
            "Sets of LoRAs kept fused in memory; the least recently used goes first [2]",
            [](C& c, const V& v) { return assign(c.lora_variants, parse_int(v[0], 1, 1000)); }},
    Setting{"idle_unload", "--idle-unload", "TIME", Arity::One, kServe, "Models",
            "Unload a model that nobody used for this long; 0 is never [0]",
            [](C& c, const V& v) { return assign(c.idle_unload, parse_duration(v[0])); }},
    Setting{"matting", "--matting", "M", Arity::One, kServe, "Models",
            "Cutting out subjects: auto, network or classical (less memory) [auto]", apply_matting},

    Setting{"truncate_prompts", "--truncate-prompts", "", Arity::Switch, kServe | kGenerate,
            "Requests",
            "Cut prompts that are too long instead of refusing them [true; under /v3 and where "
            "unknown fields are refused false]",
            [](C& c, const V& v) { return assign(c.truncates_prompts, parse_bool(v[0])); }},
    Setting{"prompt_chunks", "--prompt-chunks", "N", Arity::One, kServe | kGenerate, "Requests",
            "Chunks of 75 tokens that CLIP may read of a prompt; /v3 always reads one [4 where "
            "long prompts are not refused, else 1]",
            [](C& c, const V& v) {
              return assign(c.prompt_chunks, parse_int(v[0], 1, kPromptChunksMax));
            }},
    Setting{"prompt_weights", "--prompt-weights", "", Arity::Switch, kServe | kGenerate, "Requests",
            "Read (cat:1.3), [cat] and BREAK in prompts as the web UIs do, except under /v3",
            [](C& c, const V& v) { return assign(c.reads_prompt_weights, parse_bool(v[0])); }},
    Setting{"strict", "--strict", "", Arity::Switch, kServe, "Requests",
            "Refuse unknown fields on every path",
            [](C& c, const V& v) { return assign(c.is_strict, parse_bool(v[0])); }},
    Setting{"extra_fields", "--extra-fields", "", Arity::Switch, kServe, "Requests",
            "Send extra_fields on the OpenAI-only paths too",
            [](C& c, const V& v) { return assign(c.sends_extra_fields, parse_bool(v[0])); }},
    Setting{"blocklist", "--blocklist", "FILE", Arity::One, kServe, "Requests",
            "Words that a prompt must not hold, one a line; ~word is skipped by moderation=low",
            [](C& c, const V& v) { return assign_path(c.blocklist, v); }},
    Setting{"image_url_hosts", "--image-url-host", "HOST", Arity::Many, kServe, "Requests",
            "Host from which input images may be fetched; repeatable [none]",
            [](C& c, const V& v) { return assign_texts(c.image_url_hosts, v); }},
    Setting{"queue_size", "--queue-size", "N", Arity::One, kServe, "Requests",
            "Requests that may wait for a model before new ones are refused [64]",
            [](C& c, const V& v) { return assign(c.queue_size, parse_int(v[0], 1, 100'000)); }},
    Setting{"queue_per_key", "--queue-per-key", "N", Arity::One, kServe, "Requests",
            "Requests of one key that may wait; 0 is its fair share of --queue-size [0]",
            [](C& c, const V& v) { return assign(c.queue_per_key, parse_int(v[0], 0, 100'000)); }},
    Setting{"queue_wait", "--queue-wait", "TIME", Arity::One, kServe, "Requests",
            "Painting that a new request may have before it while others wait [10m]",
            [](C& c, const V& v) { return assign(c.queue_wait, parse_lifetime(v[0])); }},
    Setting{"early_headers_after", "--early-headers-after", "TIME", Arity::One, kServe, "Requests",
            "Send headers of a plain answer after this time, for clients that give up; 0 is never "
            "[0]",
            [](C& c, const V& v) { return assign(c.early_headers_after, parse_duration(v[0])); }},
    Setting{"model_wait", "--model-wait", "TIME", Arity::One, kServe, "Requests",
            "How long a request waits for its model to be loaded before it is refused [10m]",
            [](C& c, const V& v) { return assign(c.model_wait, parse_duration(v[0])); }},
    Setting{"shutdown_timeout", "--shutdown-timeout", "TIME", Arity::One, kServe, "Requests",
            "How long requests may go on after SIGTERM [30s]",
            [](C& c, const V& v) { return assign(c.shutdown_timeout, parse_duration(v[0])); }},

    Setting{"images_dir", "--images-dir", "DIR", Arity::One, kServe, "Finished pictures",
            "Where pictures behind a url are kept [a folder in the cache folder]",
            [](C& c, const V& v) { return assign_path(c.images_dir, v); }},
    Setting{"images_ttl", "--images-ttl", "TIME", Arity::One, kServe, "Finished pictures",
            "How long a url works [1h]",
            [](C& c, const V& v) { return assign(c.images_ttl, parse_duration(v[0])); }},
    Setting{"images_limit", "--images-limit", "SIZE", Arity::One, kServe, "Finished pictures",
            "Disk space for pictures; the oldest go first [1GiB]",
            [](C& c, const V& v) { return assign(c.images_bytes_max, parse_bytes(v[0])); }},

    Setting{"api_keys", "--api-key", "KEY", Arity::Many, kServe, "Keys",
            "Key that clients must send; repeatable; better in the environment or the file [none]",
            apply_api_keys},
    Setting{"keys_db", "--keys-db", "FILE", Arity::One, kServe | kKeys, "Keys",
            "Store of the keys made by `limner keys` [a file in the data folder]",
            [](C& c, const V& v) { return assign_path(c.keys_db, v); }},

    Setting{"output", "-o,--output", "FILE", Arity::One, kGenerate, "Picture",
            "File to write, .png .jpg or .webp; with --n a number is added [limner.png]",
            [](C& c, const V& v) { return assign_path(c.paint.output, v); }},
    Setting{"seed", "--seed", "N", Arity::One, kPaints, "Picture",
            "Same seed, same picture [random]",
            [](C& c, const V& v) { return assign(c.paint.seed, parse_u64(v[0])); }},
    Setting{
        "steps", "--steps", "N", Arity::One, kPaints, "Picture",
        "Denoising steps [the model's own]",
        [](C& c,
           const V& v) { return assign(c.paint.steps, parse_int(v[0], 1, Limits{}.steps_max)); }},
    Setting{"guidance", "--guidance", "X", Arity::One, kPaints, "Picture",
            "How closely to follow the prompt [the model's own]",
            [](C& c,
               const V& v) { return assign(c.paint.guidance_scale, parse_number(v[0], 0, 100)); }},
    Setting{"size", "-s,--size", "WxH", Arity::One, kPaints, "Picture",
            "Width and height in pixels [the model's own]",
            [](C& c, const V& v) { return assign(c.paint.size, parse_size(v[0])); }},
    Setting{"negative", "--negative", "TEXT", Arity::One, kGenerate, "Picture",
            "What should not be in the picture",
            [](C& c, const V& v) { return assign_text(c.paint.negative_prompt, v); }},
    Setting{"scheduler", "--scheduler", "NAME", Arity::One, kPaints, "Picture",
            "Denoising rule, such as euler or dpmpp_2m [the model's own]",
            [](C& c, const V& v) { return assign(c.paint.scheduler, parse_scheduler(v[0])); }},
    Setting{"n", "-n,--n", "N", Arity::One, kPaints, "Picture", "How many pictures [1]",
            [](C& c, const V& v) {
              return assign(c.paint.image_count,
                            parse_int(v[0], 1, Limits{}.images_per_request_max));
            }},
    Setting{"init_image", "-i,--init-image", "FILE", Arity::One, kGenerate, "Picture",
            "Picture to start from",
            [](C& c, const V& v) { return assign_path(c.paint.init_image, v); }},
    Setting{"mask", "--mask", "FILE", Arity::One, kGenerate, "Picture",
            "What to repaint of --init-image: transparent, or else white",
            [](C& c, const V& v) { return assign_path(c.paint.mask, v); }},
    Setting{"strength", "--strength", "X", Arity::One, kGenerate, "Picture",
            "0 keeps --init-image, 1 ignores it [the model's own]",
            [](C& c, const V& v) { return assign(c.paint.strength, parse_number(v[0], 0, 1)); }},
    Setting{"quiet", "-q,--quiet", "", Arity::Switch, kGenerate, "Picture", "No progress bar",
            [](C& c, const V& v) { return assign(c.paint.is_quiet, parse_bool(v[0])); }},
    Setting{"rounds", "--rounds", "N", Arity::One, kBench, "Measuring",
            "Pictures to paint; the median counts [3]",
            [](C& c, const V& v) { return assign(c.paint.rounds, parse_int(v[0], 1, 1000)); }},

    Setting{"key_models", "--key-model", "NAME", Arity::Many, kKeys, "Keys",
            "create: model that the key may use; repeatable [all]",
            [](C& c, const V& v) { return assign_texts(c.keys.models, v); }},
    Setting{"key_expires", "--key-expires", "TIME", Arity::One, kKeys, "Keys",
            "create: how long the key is valid, such as 30d [for ever]",
            [](C& c, const V& v) { return assign(c.keys.expires_in, parse_lifetime(v[0])); }},

    Setting{"log_level", "--log-level", "LEVEL", Arity::One, kLoads | kModels | kKeys, "General",
            "trace, debug, info, warn, error or off [info]", apply_log_level},
};

}  // namespace

std::string_view to_string(Precision precision) {
  switch (precision) {
    case Precision::Auto:
      return "auto";
    case Precision::F32:
      return "f32";
    case Precision::Bf16:
      return "bf16";
  }
  return "auto";
}

std::string_view to_string(MattingMethod method) {
  switch (method) {
    case MattingMethod::Auto:
      return "auto";
    case MattingMethod::Network:
      return "network";
    case MattingMethod::Classical:
      return "classical";
  }
  return "auto";
}

std::string_view to_string(WeightFormat format) {
  switch (format) {
    case WeightFormat::Auto:
      return "auto";
    case WeightFormat::F16:
      return "f16";
    case WeightFormat::Bf16:
      return "bf16";
    case WeightFormat::Int8:
      return "int8";
  }
  return "auto";
}

std::string Setting::long_flag() const {
  return std::string(flag.substr(flag.find("--")));
}

std::string Setting::environment_name() const {
  std::string name = "LIMNER_";
  for (const char c : long_flag().substr(2)) {
    name += c == '-' ? '_' : static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return name;
}

std::span<const Setting> settings() {
  return kSettings;
}

}  // namespace limner::config
