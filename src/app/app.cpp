#include "app/app.hpp"

#include <algorithm>
#include <iterator>
#include <ranges>
#include <utility>

#include <fmt/format.h>

#include "api/cors_options.hpp"
#include "app/descriptors.hpp"
#include "app/model_folders.hpp"
#include "app/open_keys.hpp"
#include "app/open_matting.hpp"
#include "app/paint.hpp"
#include "app/version.hpp"
#include "auth/head_hooks.hpp"
#include "auth/host_name.hpp"
#include "base/log.hpp"
#include "base/text.hpp"
#include "diffusion/pipelines/adapters.hpp"
#include "diffusion/tokenizers/lora_tags.hpp"
#include "storage/file_blob_store.hpp"
#include "storage/memory_blob_store.hpp"

namespace limner::app {
namespace {

// Enough for encoding beside painting; more would only take cores from the painter.
constexpr int kWorkerThreads = 2;
constexpr std::size_t kUploadsWaitingMax = 256;
constexpr std::chrono::seconds kSweepPauseMax{60};

std::vector<std::string> names_of(const std::vector<config::ModelConfig>& models) {
  std::vector<std::string> names;
  for (const auto& model : models) names.push_back(model.name);
  return names;
}

std::map<std::string, std::string> fingerprints_of(const std::vector<config::ModelConfig>& models) {
  std::map<std::string, std::string> fingerprints;
  for (const auto& model : models) fingerprints[model.name] = model_fingerprint(model);
  return fingerprints;
}

http::ServerOptions server_options(const config::Config& config) {
  http::ServerOptions options{.host = config.host,
                              .port = static_cast<std::uint16_t>(config.port),
                              .connections_max = connections_possible(config.connections_max),
                              .connections_per_address_max = config.connections_per_address_max,
                              .cors = api::cors_options(config.cors_origins)};
  options.timeouts.body = config.body_timeout;
  options.bodies.spill_bytes_max = config.uploads_bytes_max;
  return options;
}

// "sdxl", or "sdxl<lora:ink:0.5><lora:film:0.3>": a model with LoRAs, in the words of a prompt.
Result<router::ModelTarget> parse_target(const std::string& alias, const std::string& text) {
  auto tags = tokenizers::extract_lora_tags(text);
  if (!tags) {
    return invalid_value("aliases", fmt::format("aliases: \"{}\" leads to \"{}\", expected a model "
                                                "or MODEL<lora:NAME:STRENGTH>",
                                                alias, text));
  }
  router::ModelTarget target{.model = std::string(trim(tags->prompt))};
  for (const auto& tag : tags->loras) {
    target.adapters.push_back(
        {.name = tag.name, .scale = tag.strength, .text_encoder_scale = tag.text_encoder_strength});
  }
  return target;
}

Result<router::RouterConfig> router_config_of(const std::vector<config::ModelConfig>& models,
                                              const std::map<std::string, std::string>& aliases) {
  router::RouterConfig config;
  for (const auto& model : models) {
    router::ModelDescription described{.name = model.name};
    // A folder that cannot be read is told when the model is opened.
    if (!model.extras.lora_dir.empty()) {
      const auto files = pipelines::find_loras(model.extras.lora_dir);
      if (files)
        std::ranges::copy(std::views::keys(*files), std::back_inserter(described.adapters));
    }
    config.models.push_back(std::move(described));
  }
  for (const auto& [alias, text] : aliases) {
    auto target = parse_target(alias, text);
    if (!target) return target.error();
    config.aliases.emplace(alias, *std::move(target));
  }
  return config;
}

Result<api::Blocklist> load_blocklist(const config::Config& config) {
  if (config.blocklist.empty()) return api::Blocklist();
  return api::Blocklist::load(config.blocklist);
}

// Whatever were asked of it: its weights are wrong, or there is no memory for it.
bool cannot_paint(const Error& error) {
  return error.code == "invalid_model" || error.code == "non_finite_numbers" ||
         error.code == "insufficient_memory";
}

}  // namespace

Result<std::unique_ptr<App>> App::create(const config::Config& config) {
  auto models = models_to_serve(config);
  if (!models) return models.error();
  if (auto found = check_model_paths(*models); !found) return found.error();
  auto keys = open_keys(config);
  if (!keys) return keys.error();
  std::unique_ptr<App> app(new App(config, *std::move(models), *std::move(keys)));
  if (auto built = app->build(); !built) return built.error();
  return app;
}

App::App(const config::Config& config, std::vector<config::ModelConfig> models,
         std::shared_ptr<auth::Authenticator> keys)
    : config_(config),
      models_(std::move(models)),
      names_models_(!config.models.empty()),
      keys_(std::move(keys)),
      web_guard_(
          std::make_shared<const auth::WebGuard>(auth::WebAccess{.bound_host = config.host,
                                                                 .public_url = config.public_url,
                                                                 .hosts = config.allowed_hosts,
                                                                 .origins = config.cors_origins})),
      fingerprints_(fingerprints_of(models_)),
      metrics_(kVersion),
      fetcher_(
          {.hosts = config.image_url_hosts, .size_bytes_max = Limits{}.multipart_part_bytes_max}),
      source_(std::make_unique<PipelinesSource>(config, models_)) {}

// The engine's events go to the workers, whose work asks the engine: it falls silent first, and is
// there until they have ended.
App::~App() {
  if (engine_) engine_->stop();
}

Result<void> App::build() {
  if (auto opened = open_pictures(); !opened) return opened;
  auto words = load_blocklist(config_);
  if (!words) return words.error();
  blocklist_.replace(*words);
  auto matting = open_matting(config_.matting, *source_);
  if (!matting) return matting.error();
  matting_ = *std::move(matting);
  pool_ = std::make_unique<engine::ModelPool>(
      engine::ModelSource{
          .load = [this](const engine::ModelVariant& variant,
                         const engine::ReportStage& report) { return load(variant, report); },
          .estimate_bytes =
              [this](const std::string& name) { return source_->estimate_bytes(name); },
          .open = [this](const std::string& name)
              -> Result<std::unique_ptr<const pipelines::Pipeline>> {
            auto opened = source_->open(name);
            if (!opened) return opened.error();
            return std::unique_ptr<const pipelines::Pipeline>(*std::move(opened));
          }},
      names_of(models_),
      engine::PoolOptions{.memory_bytes_max = config_.memory_limit_bytes,
                          .variants_max = config_.lora_variants,
                          .idle_max = config_.idle_unload},
      system_clock());
  engine::EngineOptions engine_options;
  engine_options.queue.requests_max = config_.queue_size;
  engine_options.queue.requests_per_principal_max = config_.queue_per_key;
  engine_options.queue.work_max = config_.queue_wait;
  engine_ = std::make_unique<engine::Engine>(*pool_, metrics_, engine_options, system_clock());
  local_ = std::make_unique<router::LocalBackend>(*engine_, *pool_);
  auto names = router_config_of(models_, config_.aliases);
  if (!names) return names.error();
  auto router = router::ModelRouter::create(*std::move(names), *local_);
  if (!router) return router.error();
  router_ = *std::move(router);
  painter_ = std::make_unique<RouterPainter>(*router_, models_);
  requests_ = std::make_unique<api::RequestRegistry>(
      api::RequestRegistry::Options{.finished_ttl = config_.images_ttl}, system_clock());
  idempotency_ = std::make_unique<api::IdempotencyStore>(api::IdempotencyStore::Options{},
                                                         *pictures_, system_clock());
  workers_ = std::make_unique<api::WorkerPool>(kWorkerThreads, kUploadsWaitingMax);
  timer_ = std::make_unique<api::Timer>();
  services_ = std::make_unique<api::Services>(api::Services{
      .painter = *painter_,
      .workers = *workers_,
      .timer = *timer_,
      .requests = *requests_,
      .idempotency = *idempotency_,
      .blocklist = blocklist_,
      .matting = *matting_,
      .fetcher = fetcher_,
      .pictures = *pictures_,
      .metrics = metrics_,
      .clock = system_clock(),
      .limits = {},
      .options = {.address = own_address(),
                  .is_strict = config_.is_strict,
                  .sends_extra_fields = config_.sends_extra_fields,
                  .truncates_prompts = config_.truncates_prompts,
                  .prompt_chunks = config_.prompt_chunks,
                  .reads_prompt_weights = config_.reads_prompt_weights,
                  .early_headers_after = config_.early_headers_after,
                  .model_wait = config_.model_wait,
                  .version = std::string(kVersion)},
  });
  const auto hooks = auth::make_head_hooks(
      {.authenticator = keys_, .web = web_guard_, .paints_by_get = config_.paints_by_get},
      api::make_error_formatter());
  server_ = std::make_unique<http::Server>(
      server_options(config_),
      api::make_routes(*services_, {.metrics_text = [this] { return metrics_text(); },
                                    .is_draining = [this] { return is_draining_.load(); },
                                    .authenticate = hooks.authenticate,
                                    .authenticate_get = hooks.authenticate_get,
                                    .check_host = hooks.check_host}),
      api::make_error_formatter(), &http_metrics_);
  return server_->listen();
}

// Without keys the web guard has a say in what is ours; a key holder may name it as he likes.
api::OwnAddress App::own_address() const {
  return {.public_url = config_.public_url,
          .is_own_host = [keys = keys_, guard = web_guard_](std::string_view authority) {
            const auto is_open = keys->is_open();
            if (!is_open) return false;
            return *is_open ? guard->is_own_host(authority)
                            : auth::parse_authority(authority).has_value();
          }};
}

LoadedPipeline App::load(const engine::ModelVariant& variant,
                         const engine::ReportStage& report) const {
  report("opening its files");
  const auto model = source_->find(variant.model);
  if (!model) return model.error();
  auto pipeline = source_->open(variant.model, variant.adapters);
  if (!pipeline) return pipeline;
  if (auto warmed = warm_up(**pipeline, model->policy, report); !warmed) {
    if (cannot_paint(warmed.error())) return warmed.error();
    // Not a reason to refuse the model: the request that meets it again gets the error.
    log::warn("{}: {}", variant.key(), warmed.error().message);
  }
  log::info("{} paints in {}", variant.key(), (*pipeline)->traits().precision);
  return pipeline;
}

// Another server may hold the folder: then pictures live in memory, which only shortens their life.
Result<void> App::open_pictures() {
  const storage::BlobStoreOptions options{.ttl = config_.images_ttl,
                                          .size_bytes_max = config_.images_bytes_max};
  auto folder = storage::FileBlobStore::open_folder(config_.images_dir, options, system_clock());
  if (folder) {
    pictures_ = *std::move(folder);
    return {};
  }
  log::warn("pictures are kept in memory: {}", folder.error().message);
  auto smaller = options;
  smaller.size_bytes_max = std::min<std::size_t>(options.size_bytes_max, std::size_t{256} << 20);
  pictures_ = std::make_unique<storage::MemoryBlobStore>(smaller, system_clock());
  return {};
}

// No picture outlives its url by more than a minute, by more than a second where urls are so short.
void App::sweep_pictures_later() {
  const auto pause = std::clamp(config_.images_ttl, std::chrono::seconds{1}, kSweepPauseMax);
  timer_->after(pause, [this] {
    sweep_pictures_later();
    // On a worker, since files are removed.
    workers_->post([this] { pictures_->sweep(); });
  });
}

void App::start() {
  pool_->start();
  engine_->start();
  server_->start();
  sweep_pictures_later();
  const auto names = names_of(models_);
  // Under a limit the others come when they are asked for.
  const auto count = config_.memory_limit_bytes > 0 ? 1 : std::ssize(names);
  preload({names.begin(), names.begin() + count});
}

void App::preload(const std::set<std::string>& names) {
  for (const auto& model : models_) {
    if (!names.contains(model.name)) continue;
    auto asked = pool_->preload(model.name);
    if (!asked) log::warn("{}: {}", model.name, asked.error().message);
  }
}

std::string App::metrics_text() {
  metrics_.set_stored_bytes(pictures_->used_size_bytes());
  return metrics_.render();
}

Result<void> App::reload(const config::Config& config) {
  // A file that is being written is empty for a moment.
  if (names_models_ && config.models.empty()) {
    return invalid_value("", "models: none is named any more; restart to serve the embedded one",
                         "invalid_config");
  }
  auto models = models_to_serve(config);
  if (!models) return models.error();
  if (auto found = check_model_paths(*models); !found) return found;
  const auto table = router_config_of(*models, config.aliases);
  if (!table) return table.error();
  if (auto checked = router::ModelRouter::validate(*table); !checked) return checked;
  auto fingerprints = fingerprints_of(*models);
  std::set<std::string> added;
  std::set<std::string> changed;
  for (const auto& [name, fingerprint] : fingerprints) {
    const auto before = fingerprints_.find(name);
    if (before == fingerprints_.end()) {
      added.insert(name);
    } else if (before->second != fingerprint) {
      changed.insert(name);
    }
  }
  const auto words = load_blocklist(config);
  if (!words) return words.error();
  auto key_store = open_key_store(config);
  if (!key_store) return key_store.error();
  const auto has_keys = *key_store ? (*key_store)->has_keys() : Result<bool>(false);
  if (!has_keys) return has_keys.error();
  keys_->replace(config.api_keys, *std::move(key_store));
  if (asks_for_keys() && config.api_keys.empty() && !*has_keys) {
    log::warn("no API key is left: nobody is served until one is made, or until a restart");
  }
  blocklist_.replace(*words);
  // The table last: what it names can be painted with by then.
  source_->set_models(*models);
  painter_->set_policies(*models);
  pool_->set_names(names_of(*models), changed);
  if (auto taken = router_->reload(*table); !taken) return taken;
  log::info("serving {} models: {} added, {} changed, {} removed", models->size(), added.size(),
            changed.size(), models_.size() + added.size() - models->size());
  models_ = *std::move(models);
  names_models_ = !config.models.empty();
  fingerprints_ = std::move(fingerprints);
  if (config_.memory_limit_bytes == 0) preload(added);
  return {};
}

void App::stop() {
  is_draining_ = true;
  const auto deadline = system_clock().now() + config_.shutdown_timeout;
  engine_->begin_drain(deadline);
  const auto left = [&] {
    return std::max(
        std::chrono::milliseconds{0},
        std::chrono::duration_cast<std::chrono::milliseconds>(deadline - system_clock().now()));
  };
  if (!engine_->drain(left())) log::warn("some requests did not end in time");
  // Answers that are being encoded and sent.
  constexpr std::chrono::milliseconds kLastBytes{2'000};
  server_->drain(std::max(left(), kLastBytes));
  engine_->stop();
  pictures_->sweep();
}

std::string App::address() const {
  const bool is_v6 = config_.host.find(':') != std::string::npos;
  auto host = config_.host;
  if (auth::is_any_address(host)) host = is_v6 ? "::1" : "127.0.0.1";
  return fmt::format("http://{}{}{}:{}", is_v6 ? "[" : "", host, is_v6 ? "]" : "", server_->port());
}

bool App::asks_for_keys() const {
  const auto is_open = keys_->is_open();
  return !is_open || !*is_open;
}

}  // namespace limner::app
