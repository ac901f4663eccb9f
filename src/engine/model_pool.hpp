// Models in memory, plain or with LoRAs fused: loaded when wanted, one at a time on a thread of
// their own, unloaded when idle or when another needs the room. The lane keeps painting with what
// is ready meanwhile.
//
// Room is given in the order of asking. A model that nobody uses or waits for goes at once, least
// recently used first; when there is none, the model that has been resident longest stops taking
// requests once the newcomer has waited `patience`, finishes what it paints, and goes.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"
#include "diffusion/pipelines/pipeline.hpp"
#include "engine/model_variant.hpp"

namespace limner::engine {

// Called by a loader with what it is doing: "reading weights", "compiling unet".
using ReportStage = std::function<void(std::string_view stage)>;

// How a named model comes to be. `load` runs on the loader thread, the others anywhere. `open`
// gives the model as its configs, headers and tokenizers tell, with no weight read and nothing
// compiled, so that requests can be checked before it is loaded; without it, that is known after a
// load.
struct ModelSource {
  std::function<Result<std::unique_ptr<pipelines::Pipeline>>(const ModelVariant& variant,
                                                             const ReportStage& report)>
      load;
  std::function<std::size_t(const std::string& name)> estimate_bytes;
  std::function<Result<std::unique_ptr<const pipelines::Pipeline>>(const std::string& name)> open =
      {};
};

struct PoolOptions {
  std::size_t memory_bytes_max = 0;  // 0: no limit
  std::size_t variants_max = 2;      // with LoRAs, in memory at once
  Duration idle_max{};               // 0: models stay
  Duration patience = std::chrono::seconds{30};
  Duration backoff_first = std::chrono::seconds{5};  // doubled with each failure in a row
  Duration backoff_max = std::chrono::seconds{300};
  int niceness = 10;
};

enum class ModelState { Unloaded, Loading, Ready, Failed };

struct ModelStatus {
  std::string name;
  ModelState state = ModelState::Unloaded;
  bool takes_requests = false;          // ready and not about to make room
  std::optional<ModelLoading> loading;  // while Loading
  std::optional<Error> error;           // while Failed: what a client is told
  bool is_retry_due = false;            // Failed, and the next to want it tries again
  std::size_t size_bytes = 0;           // estimate
  int user_count = 0;                   // requests being painted
  Duration until_ready{};               // expected, were it wanted now
  // Empty until it was opened or loaded. Shared because it never changes.
  std::shared_ptr<const ModelTraits> traits;
};

class ModelPool;

// The right to paint with a model; it stays loaded until the last lease is gone.
class ModelLease {
 public:
  ModelLease(ModelLease&& other) noexcept;
  ModelLease& operator=(ModelLease&&) = delete;
  ~ModelLease();
  pipelines::Pipeline& pipeline() const { return *pipeline_; }

 private:
  friend class ModelPool;
  ModelLease(ModelPool& pool, std::string name, std::shared_ptr<pipelines::Pipeline> pipeline);

  ModelPool* pool_;
  std::string name_;
  std::shared_ptr<pipelines::Pipeline> pipeline_;
};

class ModelPool {
 public:
  ModelPool(ModelSource source, std::vector<std::string> names, PoolOptions options,
            const Clock& clock);
  ~ModelPool();

  // Any thread.
  std::vector<ModelStatus> models() const;
  // Of a model by its name; of one with LoRAs by its key, while somebody wants it.
  std::optional<ModelStatus> status(const std::string& key) const;
  // The opened model, or the loaded one, or neither; for the const methods, which any thread may
  // call. Shared: an I/O thread may be checking a request while the model is unloaded.
  std::shared_ptr<const pipelines::Pipeline> peek(const std::string& name) const;
  // Loads it as if a request had asked. NotFound when there is no such model.
  Result<void> preload(const ModelVariant& variant);
  // The served list has changed: new names can be loaded, missing ones go once nobody uses them.
  // So do those of `changed`, which then come anew from the source.
  void set_names(std::vector<std::string> names, const std::set<std::string>& changed = {});
  // The files of a model are not what they were: what is in memory of it goes once nobody uses it,
  // and comes anew when it is wanted.
  void reload(const std::string& model);
  // Runs on whatever thread changes a model's state; must not call back. Empty to stop.
  void set_on_change(std::function<void()> on_change);

  // The lane, once a tick: `wanted` are the models of all requests that wait, oldest first.
  // Starts loads, makes room, unloads what is idle.
  void update(std::span<const ModelVariant> wanted);
  // Empty while the model is not ready or about to make room.
  std::optional<ModelLease> lease(const std::string& key);

  // Starts the loader thread. Tests call run_one_load instead: the next load, if there is room for
  // one, and the destruction of what was unloaded; false when there was nothing to do.
  void start();
  bool run_one_load();

 private:
  friend class ModelLease;

  struct Entry {
    ModelVariant variant;
    ModelState state = ModelState::Unloaded;
    // Shared with leases and with I/O threads that check a request (peek).
    std::shared_ptr<pipelines::Pipeline> pipeline;
    std::shared_ptr<const pipelines::Pipeline> opened;  // shared with I/O threads
    std::shared_ptr<const ModelTraits> traits;
    std::size_t size_bytes = 0;
    int user_count = 0;
    bool is_served = true;
    bool is_leaving = false;  // makes room: no new leases
    bool is_stale = false;    // what is in memory, or on its way, is not what is served now
    bool is_preload = false;  // loads though no request waits
    bool is_running = false;  // the loader is at it
    std::string stage;
    TimePoint asked_at{};
    TimePoint load_started{};
    TimePoint ready_since{};
    TimePoint last_used{};
    std::optional<Duration> last_load_took;
    int failures = 0;
    std::optional<Error> error;
    std::optional<TimePoint> retry_at;  // absent while Failed: nothing will change
  };
  struct Retired {
    std::shared_ptr<pipelines::Pipeline> pipeline;
    std::size_t size_bytes = 0;
  };

  // All but open(), load() and the loader's loop are called with the lock held.
  struct Opened {
    std::size_t size_bytes = 0;
    Result<std::shared_ptr<const pipelines::Pipeline>> pipeline;  // null where sources open nothing
  };
  Opened open(const std::string& name) const;  // without the lock: it looks at files
  void take_opened(const std::string& name, Entry& entry, Opened opened);
  void fail(const std::string& name, Entry& entry, const Error& reason);
  Duration load_time(const Entry& entry) const;
  ModelStatus describe(const std::string& name, const Entry& entry) const;
  ModelLoading describe_loading(const Entry& entry) const;
  // Null when the model is not served. A variant takes its model's size and traits.
  Entry* find_or_add(const ModelVariant& variant);
  Entry* find_served(const std::string& name);
  const Entry* find_served(const std::string& name) const;
  bool is_wanted(const std::string& name) const;
  void want(Entry& entry);
  void unload(Entry& entry);
  void retire(Entry& entry);  // what it holds is not served any more
  void forget_unserved();
  void unload_idle();
  void drop_unwanted_loads();
  Entry* next_load(std::string& name);
  bool make_room(Entry& entry);
  bool make_room_for_variant(Entry& entry);
  enum class Among { All, Variants };
  Entry* pick_victim(bool is_patience_over, Among among);
  void ask_to_leave(std::size_t bytes, Among among);
  std::size_t used_bytes() const;

  void release(const std::string& name);
  void load(const std::string& name);
  void finish_load(const std::string& name, Result<std::unique_ptr<pipelines::Pipeline>> loaded);
  bool destroy_retired();
  void run_loader(std::stop_token stop);
  void notify();

  const ModelSource source_;
  const PoolOptions options_;
  const Clock& clock_;
  Guarded<std::function<void()>> on_change_;

  // One lock for all below: every operation is a few comparisons, loads run outside it.
  mutable std::mutex mutex_;
  std::condition_variable_any news_;
  bool has_news_ = false;
  std::map<std::string, Entry> entries_;  // by key of the variant
  std::vector<std::string> wanted_;       // keys
  // Unloaded, still in memory: destroyed on the loader thread, since that can take long, and only
  // when no I/O thread holds one.
  std::vector<Retired> retired_;

  std::jthread loader_;
};

}  // namespace limner::engine
