// `Idempotency-Key`: the same key and request paint once. The second caller gets the first's
// answer, now or when it is there.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "api/answer.hpp"
#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "storage/blob_store.hpp"

namespace limner::api {

class IdempotencyStore {
 public:
  // Shared: one answer goes to many callers, and is too large to be copied under a lock.
  using Stored = std::shared_ptr<const Answer>;
  using Listener = std::function<void(const Stored&)>;

  struct Options {
    std::chrono::seconds ttl{24 * 3600};
    // Of all stored answers with what each takes beside its body; the oldest go first.
    std::size_t size_bytes_max = std::size_t{128} << 20;
    std::size_t waiting_max = 64;  // callers that wait for one answer
  };

  struct First {};    // nobody asked before: paint, then call finish
  struct Waits {};    // `listener` will be called
  struct Clash {};    // the key was used for something else
  struct Crowded {};  // too many wait already
  using Begin = std::variant<First, Waits, Clash, Crowded, Stored>;

  // Both must outlive the store.
  IdempotencyStore(Options options, const storage::BlobStore& pictures, const Clock& clock)
      : options_(options), pictures_(pictures), clock_(clock) {}

  // `key` includes the credential; `digest` is that of the whole request.
  Begin begin(const std::string& key, const std::string& digest, Listener listener);
  // Answers who waits. Only success is kept for later callers: whatever else the answer was, the
  // same request may have another one when it is sent again.
  void finish(const std::string& key, const Stored& answer);

  // What size_bytes_max is held against.
  std::size_t used_size_bytes() const;

 private:
  struct Entry {
    std::string digest;
    Stored answer;  // null: still painting
    std::vector<Listener> waiting;
    TimePoint finished_at{};
    std::size_t size_bytes = 0;
  };
  using Entries = std::map<std::string, Entry>;
  struct Table {
    Entries entries;
    std::deque<Entries::iterator> finished;  // oldest first
    std::size_t size_bytes = 0;
  };

  bool is_alive(const Answer& answer) const;
  void keep(Table& table, Entries::iterator entry, Stored answer) const;
  void drop_old(Table& table) const;
  static void drop(Table& table, Entries::iterator entry);

  const Options options_;
  const storage::BlobStore& pictures_;
  const Clock& clock_;
  Guarded<Table> table_;
};

}  // namespace limner::api
