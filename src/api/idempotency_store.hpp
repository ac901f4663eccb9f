// `Idempotency-Key`: the same key and body paint once. The second caller gets the first's answer,
// now or when it is there.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "http/response.hpp"

namespace limner::api {

class IdempotencyStore {
 public:
  using Answer = std::function<void(const http::Response&)>;

  struct Options {
    std::chrono::seconds ttl{24 * 3600};
    std::size_t size_bytes_max = std::size_t{128} << 20;  // of stored answers; the oldest go first
    std::size_t waiting_max = 64;                         // callers that wait for one answer
  };

  struct First {};    // nobody asked before: paint, then call finish
  struct Waits {};    // `answer` will be called
  struct Clash {};    // the key was used for something else
  struct Crowded {};  // too many wait already
  using Begin = std::variant<First, Waits, Clash, Crowded, http::Response>;

  IdempotencyStore(Options options, const Clock& clock) : options_(options), clock_(clock) {}

  // `key` includes the credential; `digest` is that of the whole request.
  Begin begin(const std::string& key, const std::string& digest, Answer answer);
  // Answers who waits. Kept for later callers unless it is a failure that a retry may mend.
  void finish(const std::string& key, const http::Response& response);

 private:
  struct Entry {
    std::string digest;
    std::optional<http::Response> response;  // absent: still painting
    std::vector<Answer> waiting;
    TimePoint finished_at{};
  };
  struct Table {
    std::map<std::string, Entry> entries;
    std::deque<std::string> finished;  // oldest first
    std::size_t size_bytes = 0;
  };
  void drop_old(Table& table) const;

  const Options options_;
  const Clock& clock_;
  Guarded<Table> table_;
};

}  // namespace limner::api
