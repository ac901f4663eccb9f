#include "engine/model_pool.hpp"

#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/log.hpp"
#include "engine/guard.hpp"
#include "engine/lane_priority.hpp"
#include "engine/refusals.hpp"

namespace limner::engine {
namespace {

using std::chrono::milliseconds;

// Before a model was ever loaded here: reading and compiling, a slow disk assumed.
constexpr double kGuessedLoadBytesPerSecond = 200e6;
constexpr std::chrono::seconds kGuessedLoadStart{2};

Duration guess_load_time(std::size_t size_bytes) {
  const std::chrono::duration<double> reading(static_cast<double>(size_bytes) /
                                              kGuessedLoadBytesPerSecond);
  return kGuessedLoadStart + std::chrono::duration_cast<Duration>(reading);
}

milliseconds to_milliseconds(Duration duration) {
  return std::chrono::duration_cast<milliseconds>(duration);
}

}  // namespace

ModelLease::ModelLease(ModelPool& pool, std::string name,
                       std::shared_ptr<pipelines::Pipeline> pipeline)
    : pool_(&pool), name_(std::move(name)), pipeline_(std::move(pipeline)) {}

ModelLease::ModelLease(ModelLease&& other) noexcept
    : pool_(std::exchange(other.pool_, nullptr)),
      name_(std::move(other.name_)),
      pipeline_(std::move(other.pipeline_)) {}

ModelLease::~ModelLease() {
  pipeline_.reset();
  if (pool_) pool_->release(name_);
}

ModelPool::ModelPool(ModelSource source, std::vector<std::string> names, PoolOptions options,
                     const Clock& clock)
    : source_(std::move(source)), options_(options), clock_(clock) {
  set_names(std::move(names));
}

ModelPool::~ModelPool() {
  loader_ = {};  // asks it to stop and waits: a load that runs is finished first
  for (const auto& [name, entry] : entries_) {
    LIMNER_CHECK(entry.user_count == 0, "a model pool must outlive its leases");
  }
}

std::vector<ModelStatus> ModelPool::models() const {
  std::lock_guard lock(mutex_);
  std::vector<ModelStatus> all;
  for (const auto& [name, entry] : entries_) {
    if (entry.is_served && entry.variant.is_plain()) all.push_back(describe(name, entry));
  }
  return all;
}

std::optional<ModelStatus> ModelPool::status(const std::string& key) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = find_served(key);
  if (!entry) return std::nullopt;
  return describe(key, *entry);
}

std::shared_ptr<const pipelines::Pipeline> ModelPool::peek(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = find_served(name);
  if (!entry) return nullptr;
  if (entry->opened) return entry->opened;
  return entry->pipeline;
}

Result<void> ModelPool::preload(const ModelVariant& variant) {
  {
    std::lock_guard lock(mutex_);
    Entry* entry = find_or_add(variant);
    if (!entry) return model_unknown(variant.model);
    if (entry->state == ModelState::Ready) return {};
    want(*entry);
    entry->is_preload = entry->state == ModelState::Loading;
    has_news_ = true;
  }
  news_.notify_one();
  return {};
}

ModelPool::Opened ModelPool::open(const std::string& name) const {
  Opened opened{.size_bytes = source_.estimate_bytes(name),
                .pipeline = std::shared_ptr<const pipelines::Pipeline>()};
  if (!source_.open) return opened;
  auto pipeline = guarded([&] { return source_.open(name); });
  if (pipeline) {
    opened.pipeline = std::shared_ptr<const pipelines::Pipeline>(*std::move(pipeline));
  } else {
    opened.pipeline = pipeline.error();
  }
  return opened;
}

void ModelPool::set_names(std::vector<std::string> names, const std::set<std::string>& changed) {
  std::map<std::string, Opened> opened;
  for (const auto& name : names) {
    const auto current = status(name);
    if (!current || !current->traits || changed.contains(name)) opened.emplace(name, open(name));
  }
  {
    std::lock_guard lock(mutex_);
    for (auto& [key, entry] : entries_) {
      const std::string& model = entry.variant.model;
      entry.is_served = std::ranges::find(names, model) != names.end();
      if (!entry.is_served || changed.contains(model)) retire(entry);
    }
    for (auto& [name, fresh] : opened) {
      Entry& entry = entries_[name];
      entry.variant = name;
      take_opened(name, entry, std::move(fresh));
    }
    has_news_ = true;
  }
  news_.notify_one();
  notify();
}

void ModelPool::reload(const std::string& model) {
  {
    std::lock_guard lock(mutex_);
    for (auto& [key, entry] : entries_) {
      if (entry.variant.model == model && entry.state == ModelState::Ready) retire(entry);
    }
    has_news_ = true;
  }
  news_.notify_one();
}

void ModelPool::take_opened(const std::string& name, Entry& entry, Opened opened) {
  entry.size_bytes = opened.size_bytes;
  if (!opened.pipeline) return fail(name, entry, opened.pipeline.error());
  entry.opened = *std::move(opened.pipeline);
  if (!entry.opened) return;
  entry.traits = std::make_shared<const ModelTraits>(entry.opened->traits());
}

void ModelPool::set_on_change(std::function<void()> on_change) {
  on_change_.with([&](auto& current) { current = std::move(on_change); });
}

void ModelPool::update(std::span<const ModelVariant> wanted) {
  bool has_loads = false;
  {
    std::lock_guard lock(mutex_);
    wanted_.clear();
    for (const auto& variant : wanted) {
      wanted_.push_back(variant.key());
      Entry* entry = find_or_add(variant);
      if (!entry) continue;
      if (entry->state == ModelState::Ready) {
        entry->last_used = clock_.now();
      } else {
        want(*entry);
      }
    }
    unload_idle();
    drop_unwanted_loads();
    forget_unserved();
    std::string next;
    has_loads = next_load(next) != nullptr || !retired_.empty();
    has_news_ |= has_loads;
  }
  if (has_loads) news_.notify_one();
}

std::optional<ModelLease> ModelPool::lease(const std::string& key) {
  std::lock_guard lock(mutex_);
  Entry* entry = find_served(key);
  if (!entry || entry->state != ModelState::Ready || entry->is_leaving) return std::nullopt;
  ++entry->user_count;
  entry->last_used = clock_.now();
  return ModelLease(*this, key, entry->pipeline);
}

void ModelPool::start() {
  loader_ = std::jthread([this](std::stop_token stop) { run_loader(std::move(stop)); });
}

bool ModelPool::run_one_load() {
  bool has_worked = destroy_retired();
  std::string name;
  const auto plan = [&] {
    std::lock_guard lock(mutex_);
    Entry* entry = next_load(name);
    if (!entry || !make_room(*entry)) return false;
    entry->is_running = true;
    entry->load_started = clock_.now();
    entry->stage = "loading";
    return true;
  };
  bool is_planned = plan();
  // Making room may just have unloaded something: its memory is free once it is destroyed.
  if (!is_planned && destroy_retired()) {
    has_worked = true;
    is_planned = plan();
  }
  if (!is_planned) return has_worked;
  load(name);
  return true;
}

ModelStatus ModelPool::describe(const std::string& name, const Entry& entry) const {
  ModelStatus status{.name = name,
                     .state = entry.state,
                     .takes_requests = entry.state == ModelState::Ready && !entry.is_leaving,
                     .loading = std::nullopt,
                     .error = std::nullopt,
                     .is_retry_due = false,
                     .size_bytes = entry.size_bytes,
                     .user_count = entry.user_count,
                     .until_ready = {},
                     .traits = entry.traits};
  if (entry.state != ModelState::Ready) status.until_ready = load_time(entry);
  if (entry.state == ModelState::Loading) {
    status.loading = describe_loading(entry);
    status.until_ready = status.loading->left();
  }
  if (entry.state == ModelState::Failed) {
    status.error = entry.error;
    if (entry.retry_at) {
      const Duration left = *entry.retry_at - clock_.now();
      status.error->retry_after = retry_seconds(left);
      status.is_retry_due = left <= Duration::zero();
    }
  }
  return status;
}

ModelLoading ModelPool::describe_loading(const Entry& entry) const {
  const Duration elapsed = clock_.now() - entry.asked_at;
  const Duration before = entry.is_running ? entry.load_started - entry.asked_at : elapsed;
  return {.model = entry.variant.model,
          .stage = entry.stage,
          .elapsed = to_milliseconds(elapsed),
          .expected = to_milliseconds(before + load_time(entry))};
}

Duration ModelPool::load_time(const Entry& entry) const {
  return entry.last_load_took.value_or(guess_load_time(entry.size_bytes));
}

ModelPool::Entry* ModelPool::find_or_add(const ModelVariant& variant) {
  Entry* model = find_served(variant.model);
  if (!model || variant.is_plain()) return model;
  const auto [it, is_new] = entries_.try_emplace(variant.key());
  if (is_new) {
    it->second.variant = variant;
    it->second.size_bytes = model->size_bytes;
    it->second.traits = model->traits;
  }
  return &it->second;
}

const ModelPool::Entry* ModelPool::find_served(const std::string& name) const {
  const auto it = entries_.find(name);
  return it == entries_.end() || !it->second.is_served ? nullptr : &it->second;
}

ModelPool::Entry* ModelPool::find_served(const std::string& name) {
  const auto it = entries_.find(name);
  return it == entries_.end() || !it->second.is_served ? nullptr : &it->second;
}

bool ModelPool::is_wanted(const std::string& name) const {
  return std::ranges::find(wanted_, name) != wanted_.end();
}

}  // namespace limner::engine
