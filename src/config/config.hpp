// Everything an operator can set, checked. Made by load_config from flags, environment and file.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "core/generation.hpp"
#include "core/limits.hpp"
#include "core/model_policy.hpp"

namespace limner::config {

// What belongs to a model and lies elsewhere; empty paths: nowhere.
struct ModelExtras {
  std::filesystem::path vae;
  std::map<std::string, std::filesystem::path> text_encoders;  // "text_encoder_2" → folder
  std::filesystem::path configs;   // diffusers folder that a checkpoint takes its configs from
  std::filesystem::path lora_dir;  // LoRA files that requests may name
};

// One served model.
struct ModelConfig {
  std::string name;
  std::filesystem::path path;  // a folder or a .safetensors checkpoint
  ModelPolicy policy;
  ModelExtras extras = {};
};

enum class Precision { Auto, F32, Bf16 };
enum class WeightFormat { Auto, F16, Bf16, Int8 };

std::string_view to_string(Precision precision);
std::string_view to_string(WeightFormat format);

// What `limner generate` and `limner bench` paint.
struct PaintConfig {
  std::string prompt;
  std::filesystem::path output = "limner.png";
  std::optional<std::uint64_t> seed;
  std::optional<int> steps;
  std::optional<double> guidance_scale;
  std::optional<ImageSize> size;
  std::optional<SchedulerKind> scheduler;
  std::optional<double> strength;
  std::string negative_prompt;
  int image_count = 1;
  std::filesystem::path init_image;
  std::filesystem::path mask;
  bool is_quiet = false;
  int rounds = 3;  // bench only
};

struct KeysConfig {
  std::string name;  // create: what the key is for; revoke: the key's id
  std::vector<std::string> models;
  std::optional<std::chrono::seconds> expires_in;
};

// How a picture's subject is told from its background. Auto: by the network where its weights are.
enum class MattingMethod { Auto, Network, Classical };
std::string_view to_string(MattingMethod method);

enum class Command {
  Help,
  Serve,
  Generate,
  Models,
  Bench,
  KeysCreate,
  KeysList,
  KeysRevoke,
  Version
};

struct Config {
  Command command = Command::Help;
  std::string help;                   // the text to print when command is Help
  std::vector<std::string> warnings;  // for the log, once it runs

  // Listening.
  std::string host = "127.0.0.1";
  int port = 8080;
  std::string public_url;  // empty: the request's own Host
  bool is_insecure = false;
  std::vector<std::string> cors_origins;
  std::vector<std::string> allowed_hosts;  // further names under which clients reach a keyless one
  bool paints_by_get = false;              // without any key too
  std::size_t connections_max = 16'384;
  std::size_t connections_per_address_max = 1'024;  // other machines' addresses
  std::chrono::seconds body_timeout{600};
  std::uint64_t uploads_bytes_max = std::uint64_t{2} << 30;  // of unfinished ones, on disk

  // Models. The first is the default; none means the embedded one.
  std::vector<ModelConfig> models;
  std::map<std::string, std::string> aliases;  // name → served model; added to the built-in ones
  Precision precision = Precision::Auto;
  WeightFormat weights = WeightFormat::Auto;
  int threads = 0;  // 0: all cores
  std::filesystem::path cache_dir;
  std::uint64_t cache_bytes_max = std::uint64_t{8} << 30;
  std::uint64_t memory_limit_bytes = 0;  // 0: no limit
  std::chrono::seconds idle_unload{0};   // 0: models stay
  std::size_t lora_variants = 2;         // sets of LoRAs in memory at once
  MattingMethod matting = MattingMethod::Auto;

  // Requests.
  std::optional<bool> truncates_prompts;  // absent: as each dialect does
  std::optional<int> prompt_chunks;       // absent: one, or some where long prompts are fitted
  bool reads_prompt_weights = false;
  bool is_strict = false;
  bool sends_extra_fields = false;
  std::filesystem::path blocklist;
  std::vector<std::string> image_url_hosts;               // empty: no remote image is fetched
  std::size_t queue_size = Limits{}.queued_requests_max;  // of one model
  std::size_t queue_per_key = 0;                          // 0: a fair share
  std::chrono::seconds queue_wait = Limits{}.queued_work_max;
  std::chrono::seconds shutdown_timeout = Limits{}.shutdown_timeout;
  std::chrono::seconds early_headers_after{0};  // 0: never
  std::chrono::seconds model_wait{600};         // 0: requests do not wait for their model

  // Finished pictures.
  std::filesystem::path images_dir;
  std::chrono::seconds images_ttl{3600};
  std::uint64_t images_bytes_max = std::uint64_t{1} << 30;

  // Keys.
  std::vector<std::string> api_keys;
  std::filesystem::path keys_db;

  std::string log_level = "info";

  PaintConfig paint;
  KeysConfig keys;
};

}  // namespace limner::config
