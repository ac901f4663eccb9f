// Jobs that are on their way and, for a while, those that ended: for `GET /v1/images/requests/{id}`
// and its cancel. A job has an id of ours; the x-request-id that its client may choose only leads
// to it, and only for the credential that made it.
#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"
#include "core/generation.hpp"

namespace limner::api {

enum class RequestState { Queued, Running, Completed, Failed, Cancelled };
std::string_view to_string(RequestState state);

struct RequestStatus {
  std::string id;      // the client's own, or ours
  std::string job_id;  // ours, never used twice
  std::string owner;   // of the credential that made it; nobody else finds it
  std::string model;
  RequestState state = RequestState::Queued;
  std::int64_t created = 0;  // seconds since 1970
  int position = 0;
  std::chrono::milliseconds expected_wait{0};
  std::optional<ModelLoading> loading = std::nullopt;  // queued, and its model is not in memory
  int step = 0;
  int step_count = 0;
  std::vector<std::string> urls = {};  // completed, and kept
  // Why it failed; of a completed one, why its pictures could not be kept.
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
  class Ticket;

  RequestRegistry(Options options, const Clock& clock) : options_(options), clock_(clock) {}

  // A job of `status.owner`; cancelling it asks `stop`. Conflict, code "request_id_in_use", while
  // another job of this owner has the same id and was not asked to stop. Once that one has ended,
  // the id leads to the newer.
  Result<Ticket> open(RequestStatus status, std::stop_source stop);

  // By either id. An id of another owner is as unknown as one that never was.
  std::optional<RequestStatus> find(const std::string& id, const std::string& owner) const;
  // False when there is no such job of this owner; true, without effect, when it has ended.
  bool cancel(const std::string& id, const std::string& owner);

 private:
  struct Entry {
    RequestStatus status;
    std::stop_source stop;
    TimePoint finished_at{};
    // Its own id, to be moved into `finished`: ending a job needs no memory.
    std::list<std::string> place = {};
  };
  struct Table {
    std::map<std::string, Entry> entries;  // by job id
    // Owner and the client's id → the newest job of that name.
    std::map<std::pair<std::string, std::string>, std::string> names;
    std::list<std::string> finished;  // job ids, oldest first
  };

  void update(const std::string& job_id, const std::function<void(RequestStatus&)>& change);
  void forget(const std::string& job_id);
  void drop_old(Table& table) const;
  static void erase(Table& table, const std::string& job_id);
  static const Entry* find(const Table& table, const std::string& id, const std::string& owner);

  const Options options_;
  const Clock& clock_;
  Guarded<Table> table_;
};

// A job's hold on its entry. A job that goes without having said how it ended has failed.
class RequestRegistry::Ticket {
 public:
  Ticket() = default;  // of no job: updates lead nowhere
  Ticket(Ticket&& other) noexcept
      : registry_(std::exchange(other.registry_, nullptr)), job_id_(std::move(other.job_id_)) {}
  Ticket& operator=(Ticket&& other) noexcept {
    std::swap(registry_, other.registry_);
    std::swap(job_id_, other.job_id_);
    return *this;
  }
  ~Ticket();

  // Without effect once the job has ended.
  void update(const std::function<void(RequestStatus&)>& change);
  // It was refused after all: nobody shall find it.
  void forget();

 private:
  friend class RequestRegistry;
  Ticket(RequestRegistry& registry, std::string job_id)
      : registry_(&registry), job_id_(std::move(job_id)) {}

  RequestRegistry* registry_ = nullptr;
  std::string job_id_;
};

}  // namespace limner::api
