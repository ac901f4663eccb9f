// How models come into memory and leave it.
#include <algorithm>
#include <utility>

#include "base/check.hpp"
#include "base/log.hpp"
#include "engine/guard.hpp"
#include "engine/lane_priority.hpp"
#include "engine/model_pool.hpp"
#include "engine/refusals.hpp"

namespace limner::engine {
namespace {

constexpr std::chrono::milliseconds kLoaderWaitMax{500};
constexpr int kBackoffDoublingsMax = 16;

// What was asked for is wrong, not the model: clients are told in the LoRA's own words.
bool is_about_lora(const Error& error) {
  return error.code == "invalid_lora" || error.code == "unknown_lora";
}

}  // namespace

void ModelPool::want(Entry& entry) {
  const TimePoint now = clock_.now();
  if (entry.state == ModelState::Loading) return;
  if (entry.state == ModelState::Failed && (!entry.retry_at || now < *entry.retry_at)) return;
  const std::size_t limit = options_.memory_bytes_max;
  if (limit != 0 && entry.size_bytes > limit) {
    entry.state = ModelState::Failed;
    entry.error = model_too_large(entry.variant.model, entry.size_bytes, limit);
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
  entry.is_stale = false;
}

void ModelPool::retire(Entry& entry) {
  entry.opened.reset();
  entry.traits.reset();
  entry.failures = 0;
  switch (entry.state) {
    case ModelState::Unloaded:
      return;
    case ModelState::Failed:
      entry.state = ModelState::Unloaded;
      return;
    case ModelState::Loading:
      entry.is_stale = entry.is_running;  // else it has not begun
      return;
    case ModelState::Ready:
      entry.is_stale = entry.is_leaving = true;
      if (entry.user_count == 0) unload(entry);
      return;
  }
}

// Models that are not served any more, and sets of LoRAs that nobody wants: there can be many.
void ModelPool::forget_unserved() {
  std::erase_if(entries_, [&](const auto& row) {
    const auto& [key, entry] = row;
    if (entry.state == ModelState::Ready || entry.is_running) return false;
    if (!entry.is_served) return true;
    const bool waits =
        entry.state == ModelState::Loading ||
        (entry.state == ModelState::Failed && entry.retry_at && clock_.now() < *entry.retry_at);
    return !entry.variant.is_plain() && !waits && !is_wanted(key);
  });
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
  for (auto& [name, entry] : entries_) entry.is_leaving = entry.is_leaving && entry.is_stale;
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

// The number of variants is bounded even where memory is not: each strength is another one.
bool ModelPool::make_room_for_variant(Entry& entry) {
  if (entry.variant.is_plain()) return true;
  const auto count = [&] {
    return std::ranges::count_if(entries_, [](const auto& row) {
      return row.second.state == ModelState::Ready && !row.second.variant.is_plain();
    });
  };
  const bool is_patience_over = clock_.now() - entry.asked_at >= options_.patience;
  while (static_cast<std::size_t>(count()) >= options_.variants_max) {
    Entry* victim = pick_victim(is_patience_over, Among::Variants);
    if (!victim) {
      if (is_patience_over) ask_to_leave(1, Among::Variants);
      entry.stage = "waiting for other LoRAs to finish";
      return false;
    }
    unload(*victim);
  }
  return true;
}

bool ModelPool::make_room(Entry& entry) {
  if (!make_room_for_variant(entry)) return false;
  const std::size_t limit = options_.memory_bytes_max;
  if (limit == 0) return true;
  std::size_t retired_bytes = 0;
  for (const auto& retired : retired_) retired_bytes += retired.size_bytes;
  const bool is_patience_over = clock_.now() - entry.asked_at >= options_.patience;
  while (used_bytes() - retired_bytes + entry.size_bytes > limit) {
    Entry* victim = pick_victim(is_patience_over, Among::All);
    if (!victim) break;
    retired_bytes += victim->size_bytes;
    unload(*victim);
  }
  const std::size_t needed = used_bytes() - retired_bytes + entry.size_bytes;
  if (needed > limit && is_patience_over) ask_to_leave(needed - limit, Among::All);
  if (used_bytes() + entry.size_bytes <= limit) return true;
  entry.stage = "waiting for memory";
  return false;
}

// Nobody's model first; then one that is only waited for. A model that just came stays for as long
// as the newcomer had to wait, else two could chase each other out without painting.
ModelPool::Entry* ModelPool::pick_victim(bool is_patience_over, Among among) {
  Entry* victim = nullptr;
  for (auto& [name, entry] : entries_) {
    if (among == Among::Variants && entry.variant.is_plain()) continue;
    if (entry.state != ModelState::Ready || entry.user_count > 0) continue;
    const bool has_stayed = clock_.now() - entry.ready_since >= options_.patience;
    if (is_wanted(name) && !(is_patience_over && has_stayed)) continue;
    if (!victim || entry.last_used < victim->last_used) victim = &entry;
  }
  return victim;
}

void ModelPool::ask_to_leave(std::size_t bytes, Among among) {
  std::vector<Entry*> users;
  std::size_t leaving_bytes = 0;
  for (auto& [name, entry] : entries_) {
    if (entry.state != ModelState::Ready) continue;
    if (among == Among::Variants && entry.variant.is_plain()) continue;
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
  const ModelVariant variant = [&] {
    std::lock_guard lock(mutex_);
    return entries_.at(name).variant;
  }();
  auto loaded = guarded([&] {
    return source_.load(variant, [&](std::string_view stage) {
      std::lock_guard lock(mutex_);
      entries_.at(name).stage = std::string(stage);
    });
  });
  // A model that could not be opened when it was named, and now could be loaded.
  std::optional<Opened> opened;
  if (const auto before = status(name); loaded && before && !before->traits && variant.is_plain()) {
    opened = open(name);
  }
  finish_load(name, std::move(loaded));
  if (opened && opened->pipeline) {
    std::lock_guard lock(mutex_);
    if (Entry* entry = find_served(name)) take_opened(name, *entry, *std::move(opened));
  }
  notify();
}

void ModelPool::fail(const std::string& name, Entry& entry, const Error& reason) {
  const int doublings = std::min(entry.failures++, kBackoffDoublingsMax);
  const Duration backoff =
      std::min(options_.backoff_first * (1 << doublings), options_.backoff_max);
  entry.state = ModelState::Failed;
  entry.error = is_about_lora(reason) ? reason : model_failed(entry.variant.model, reason, backoff);
  entry.retry_at = clock_.now() + backoff;
  log::error("{}: {} {}", name, entry.error->message, entry.error->detail);
}

void ModelPool::finish_load(const std::string& name,
                            Result<std::unique_ptr<pipelines::Pipeline>> loaded) {
  std::lock_guard lock(mutex_);
  Entry& entry = entries_.at(name);
  const TimePoint now = clock_.now();
  entry.is_running = false;
  const bool was_preload = std::exchange(entry.is_preload, false);
  // What was loaded is not what is served: who asked for it has it loaded again.
  if (entry.is_stale || !entry.is_served) {
    entry.state = ModelState::Unloaded;
    entry.is_stale = false;
    if (loaded)
      retired_.push_back({.pipeline = *std::move(loaded), .size_bytes = entry.size_bytes});
    if (!entry.is_served || !was_preload) return;
    want(entry);
    entry.is_preload = entry.state == ModelState::Loading;
    return;
  }
  if (!loaded) return fail(name, entry, loaded.error());
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
