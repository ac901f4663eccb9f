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
constexpr milliseconds kLoaderWaitMax{500};
constexpr int kBackoffDoublingsMax = 16;

Duration guess_load_time(std::size_t size_bytes) {
  const std::chrono::duration<double> reading(static_cast<double>(size_bytes) /
                                              kGuessedLoadBytesPerSecond);
  return kGuessedLoadStart + std::chrono::duration_cast<Duration>(reading);
}

std::shared_ptr<const ModelTraits> describe_source(const ModelSource& source,
                                                   const std::string& name) {
  if (!source.describe) return nullptr;
  auto traits = source.describe(name);
  if (traits) return std::make_shared<const ModelTraits>(std::move(*traits));
  log::warn("{} cannot be described: {}", name, traits.error().message);
  return nullptr;
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
    if (entry.is_served) all.push_back(describe(name, entry));
  }
  return all;
}

std::optional<ModelStatus> ModelPool::status(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = find_served(name);
  if (!entry) return std::nullopt;
  return describe(name, *entry);
}

std::shared_ptr<const pipelines::Pipeline> ModelPool::peek(const std::string& name) const {
  std::lock_guard lock(mutex_);
  const Entry* entry = find_served(name);
  return entry ? entry->pipeline : nullptr;
}

Result<void> ModelPool::preload(const std::string& name) {
  {
    std::lock_guard lock(mutex_);
    Entry* entry = find_served(name);
    if (!entry) return model_unknown(name);
    if (entry->state == ModelState::Ready) return {};
    want(name, *entry);
    entry->is_preload = entry->state == ModelState::Loading;
    has_news_ = true;
  }
  news_.notify_one();
  return {};
}

void ModelPool::set_names(std::vector<std::string> names) {
  // Before the lock: these look at files.
  std::vector<std::size_t> sizes_bytes;
  std::vector<std::shared_ptr<const ModelTraits>> traits;
  for (const auto& name : names) {
    sizes_bytes.push_back(source_.estimate_bytes(name));
    traits.push_back(describe_source(source_, name));
  }
  {
    std::lock_guard lock(mutex_);
    for (auto& [name, entry] : entries_) {
      entry.is_served = std::ranges::find(names, name) != names.end();
      if (entry.is_served || entry.state != ModelState::Ready) continue;
      entry.is_leaving = true;
      if (entry.user_count == 0) unload(entry);
    }
    for (std::size_t i = 0; i < names.size(); ++i) {
      Entry& entry = entries_[names[i]];
      entry.size_bytes = sizes_bytes[i];
      if (!entry.pipeline && traits[i]) entry.traits = traits[i];
    }
    has_news_ = true;
  }
  news_.notify_one();
  notify();
}

void ModelPool::set_on_change(std::function<void()> on_change) {
  on_change_.with([&](auto& current) { current = std::move(on_change); });
}

void ModelPool::update(std::span<const std::string> wanted) {
  bool has_loads = false;
  {
    std::lock_guard lock(mutex_);
    wanted_.assign(wanted.begin(), wanted.end());
    for (const auto& name : wanted_) {
      Entry* entry = find_served(name);
      if (!entry) continue;
      if (entry->state == ModelState::Ready) {
        entry->last_used = clock_.now();
      } else {
        want(name, *entry);
      }
    }
    unload_idle();
    drop_unwanted_loads();
    std::string next;
    has_loads = next_load(next) != nullptr || !retired_.empty();
    has_news_ |= has_loads;
  }
  if (has_loads) news_.notify_one();
}

std::optional<ModelLease> ModelPool::lease(const std::string& name) {
  std::lock_guard lock(mutex_);
  Entry* entry = find_served(name);
  if (!entry || entry->state != ModelState::Ready || entry->is_leaving) return std::nullopt;
  ++entry->user_count;
  entry->last_used = clock_.now();
  return ModelLease(*this, name, entry->pipeline);
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
                     .traits = entry.traits};
  if (entry.state == ModelState::Loading) status.loading = describe_loading(name, entry);
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

ModelLoading ModelPool::describe_loading(const std::string& name, const Entry& entry) const {
  const Duration elapsed = clock_.now() - entry.asked_at;
  const Duration before = entry.is_running ? entry.load_started - entry.asked_at : elapsed;
  const Duration load = entry.last_load_took.value_or(guess_load_time(entry.size_bytes));
  return {.model = name,
          .stage = entry.stage,
          .elapsed = to_milliseconds(elapsed),
          .expected = to_milliseconds(before + load)};
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

void ModelPool::want(const std::string& name, Entry& entry) {
  const TimePoint now = clock_.now();
  if (entry.state == ModelState::Loading) return;
  if (entry.state == ModelState::Failed && (!entry.retry_at || now < *entry.retry_at)) return;
  const std::size_t limit = options_.memory_bytes_max;
  if (limit != 0 && entry.size_bytes > limit) {
    entry.state = ModelState::Failed;
    entry.error = model_too_large(name, entry.size_bytes, limit);
    entry.retry_at.reset();
    log::warn("{}", entry.error->message);
    return;
  }
  entry.state = ModelState::Loading;
  entry.stage = "waiting for its turn to load";
  entry.asked_at = now;
}

void ModelPool::unload(Entry& entry) {
  retired_.push_back({.pipeline = std::move(entry.pipeline), .size_bytes = entry.size_bytes});
  entry.pipeline.reset();
  entry.state = ModelState::Unloaded;
  entry.is_leaving = false;
}

void ModelPool::unload_idle() {
  if (options_.idle_max == Duration::zero()) return;
  for (auto& [name, entry] : entries_) {
    const bool is_idle = entry.state == ModelState::Ready && entry.user_count == 0 &&
                         clock_.now() - entry.last_used >= options_.idle_max;
    if (!is_idle || is_wanted(name)) continue;
    log::info("unloading {}: idle", name);
    unload(entry);
  }
}

void ModelPool::drop_unwanted_loads() {
  bool has_waiting = false;
  for (auto& [name, entry] : entries_) {
    if (entry.state != ModelState::Loading || entry.is_running) continue;
    if (entry.is_served && (entry.is_preload || is_wanted(name))) {
      has_waiting = true;
    } else {
      entry.state = ModelState::Unloaded;
    }
  }
  if (has_waiting) return;
  for (auto& [name, entry] : entries_) entry.is_leaving = entry.is_leaving && !entry.is_served;
}

ModelPool::Entry* ModelPool::next_load(std::string& name) {
  Entry* next = nullptr;
  for (auto& [candidate, entry] : entries_) {
    if (entry.state != ModelState::Loading || entry.is_running) continue;
    if (next && next->asked_at <= entry.asked_at) continue;
    next = &entry;
    name = candidate;
  }
  return next;
}

bool ModelPool::make_room(Entry& entry) {
  const std::size_t limit = options_.memory_bytes_max;
  if (limit == 0) return true;
  std::size_t retired_bytes = 0;
  for (const auto& retired : retired_) retired_bytes += retired.size_bytes;
  const bool is_patience_over = clock_.now() - entry.asked_at >= options_.patience;
  while (used_bytes() - retired_bytes + entry.size_bytes > limit) {
    Entry* victim = pick_victim(is_patience_over);
    if (!victim) break;
    retired_bytes += victim->size_bytes;
    unload(*victim);
  }
  const std::size_t needed = used_bytes() - retired_bytes + entry.size_bytes;
  if (needed > limit && is_patience_over) ask_to_leave(needed - limit);
  if (used_bytes() + entry.size_bytes <= limit) return true;
  entry.stage = "waiting for memory";
  return false;
}

// Nobody's model first; then one that is only waited for. A model that just came stays for as long
// as the newcomer had to wait, else two could chase each other out without painting.
ModelPool::Entry* ModelPool::pick_victim(bool is_patience_over) {
  Entry* victim = nullptr;
  for (auto& [name, entry] : entries_) {
    if (entry.state != ModelState::Ready || entry.user_count > 0) continue;
    const bool has_stayed = clock_.now() - entry.ready_since >= options_.patience;
    if (is_wanted(name) && !(is_patience_over && has_stayed)) continue;
    if (!victim || entry.last_used < victim->last_used) victim = &entry;
  }
  return victim;
}

void ModelPool::ask_to_leave(std::size_t bytes) {
  std::vector<Entry*> users;
  std::size_t leaving_bytes = 0;
  for (auto& [name, entry] : entries_) {
    if (entry.state != ModelState::Ready) continue;
    if (entry.is_leaving) {
      leaving_bytes += entry.size_bytes;
    } else if (clock_.now() - entry.ready_since >= options_.patience) {
      users.push_back(&entry);
    }
  }
  std::ranges::sort(users, {}, &Entry::ready_since);
  for (Entry* entry : users) {
    if (leaving_bytes >= bytes) return;
    entry->is_leaving = true;
    leaving_bytes += entry->size_bytes;
  }
}

std::size_t ModelPool::used_bytes() const {
  std::size_t bytes = 0;
  for (const auto& [name, entry] : entries_) {
    if (entry.state == ModelState::Ready || entry.is_running) bytes += entry.size_bytes;
  }
  for (const auto& retired : retired_) bytes += retired.size_bytes;
  return bytes;
}

void ModelPool::release(const std::string& name) {
  bool has_left = false;
  {
    std::lock_guard lock(mutex_);
    Entry& entry = entries_.at(name);
    entry.last_used = clock_.now();
    if (--entry.user_count == 0 && entry.is_leaving) {
      unload(entry);
      has_news_ = has_left = true;
    }
  }
  if (has_left) news_.notify_one();
}

void ModelPool::load(const std::string& name) {
  log::info("loading {}", name);
  auto loaded = guarded([&] {
    return source_.load(name, [&](std::string_view stage) {
      std::lock_guard lock(mutex_);
      entries_.at(name).stage = std::string(stage);
    });
  });
  finish_load(name, std::move(loaded));
  notify();
}

void ModelPool::finish_load(const std::string& name,
                            Result<std::unique_ptr<pipelines::Pipeline>> loaded) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(name);
  const TimePoint now = clock_.now();
  entry.is_running = false;
  entry.is_preload = false;
  if (!loaded) {
    const int doublings = std::min(entry.failures++, kBackoffDoublingsMax);
    const Duration backoff =
        std::min(options_.backoff_first * (1 << doublings), options_.backoff_max);
    entry.state = ModelState::Failed;
    entry.error = model_failed(name, loaded.error(), backoff);
    entry.retry_at = now + backoff;
    log::error("{}: {}", entry.error->message, entry.error->detail);
    return;
  }
  LIMNER_CHECK(*loaded != nullptr, "a loader returned no pipeline and no error");
  entry.state = ModelState::Ready;
  entry.pipeline = std::move(*loaded);
  entry.traits = std::make_shared<const ModelTraits>(entry.pipeline->traits());
  entry.failures = 0;
  entry.error.reset();
  entry.last_load_took = now - entry.load_started;
  entry.ready_since = entry.last_used = now;
  log::info("{} is ready after {:.1f} s", name,
            std::chrono::duration<double>(*entry.last_load_took).count());
  if (!entry.is_served) unload(entry);
}

bool ModelPool::destroy_retired() {
  std::vector<Retired> dying;
  {
    std::lock_guard lock(mutex_);
    // Nobody can take a new share of a retired model, so a count of one stays one.
    const auto is_alone = [](const Retired& r) { return r.pipeline.use_count() == 1; };
    for (auto& retired : retired_) {
      if (is_alone(retired)) dying.push_back(std::exchange(retired, {}));
    }
    std::erase_if(retired_, [](const Retired& r) { return r.pipeline == nullptr; });
  }
  const bool has_destroyed = !dying.empty();
  dying.clear();
  return has_destroyed;
}

void ModelPool::run_loader(std::stop_token stop) {
  lower_thread_priority(options_.niceness);
  while (!stop.stop_requested()) {
    if (run_one_load()) continue;
    std::unique_lock lock(mutex_);
    news_.wait_for(lock, stop, kLoaderWaitMax, [&] { return has_news_; });
    has_news_ = false;
  }
}

void ModelPool::notify() {
  on_change_.with([](const auto& on_change) {
    if (on_change) on_change();
  });
}

}  // namespace limner::engine
