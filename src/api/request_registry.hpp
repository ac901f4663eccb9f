// Requests by their id, for `GET /v1/images/requests/{id}` and its cancel: those on their way, and
// for a while those that ended.
#pragma once

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "base/error.hpp"
#include "base/guarded.hpp"
#include "core/generation.hpp"

namespace limner::api {

enum class RequestState { Queued, Running, Completed, Failed, Cancelled };
std::string_view to_string(RequestState state);

struct RequestStatus {
  std::string id;
  std::string owner;  // of the credential that made it; nobody else finds it
  std::string model;
  RequestState state = RequestState::Queued;
  std::int64_t created = 0;  // seconds since 1970
  int position = 0;
  std::chrono::milliseconds expected_wait{0};
  std::optional<ModelLoading> loading = std::nullopt;  // queued, and its model is not in memory
  int step = 0;
  int step_count = 0;
  std::vector<std::string> urls = {};  // completed, and kept
  std::optional<Error> error = std::nullopt;

  bool is_finished() const {
    return state != RequestState::Queued && state != RequestState::Running;
  }
};

class RequestRegistry {
 public:
  struct Options {
    std::size_t finished_max = 1'000;
    std::chrono::seconds finished_ttl{3'600};
  };
  RequestRegistry(Options options, const Clock& clock) : options_(options), clock_(clock) {}

  void add(RequestStatus status, std::function<void()> cancel);
  // Nothing happens when the id is gone or its request has ended.
  void update(const std::string& id, const std::function<void(RequestStatus&)>& change);
  std::optional<RequestStatus> find(const std::string& id, const std::string& owner) const;
  // False when there is no such request of this owner; true, without effect, when it has ended.
  bool cancel(const std::string& id, const std::string& owner);

 private:
  struct Entry {
    RequestStatus status;
    std::function<void()> cancel;
    TimePoint finished_at{};
  };
  struct Table {
    std::map<std::string, Entry> entries;
    std::deque<std::string> finished;  // oldest first
  };
  void drop_old(Table& table) const;

  const Options options_;
  const Clock& clock_;
  Guarded<Table> table_;
};

}  // namespace limner::api
