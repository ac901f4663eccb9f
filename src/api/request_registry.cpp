#include "api/request_registry.hpp"

#include <utility>

namespace limner::api {

std::string_view to_string(RequestState state) {
  switch (state) {
    case RequestState::Queued:
      return "queued";
    case RequestState::Running:
      return "running";
    case RequestState::Completed:
      return "completed";
    case RequestState::Failed:
      return "failed";
    case RequestState::Cancelled:
      return "cancelled";
  }
  return "failed";
}

void RequestRegistry::add(RequestStatus status, std::function<void()> cancel) {
  table_.with([&](Table& table) {
    drop_old(table);
    auto id = status.id;
    table.entries.insert_or_assign(std::move(id),
                                   Entry{.status = std::move(status), .cancel = std::move(cancel)});
  });
}

void RequestRegistry::update(const std::string& id,
                             const std::function<void(RequestStatus&)>& change) {
  // What the entry held of the request is destroyed outside the lock.
  std::function<void()> released;
  table_.with([&](Table& table) {
    const auto it = table.entries.find(id);
    if (it == table.entries.end() || it->second.status.is_finished()) return;
    change(it->second.status);
    if (!it->second.status.is_finished()) return;
    released = std::exchange(it->second.cancel, nullptr);
    it->second.finished_at = clock_.now();
    table.finished.push_back(id);
  });
}

std::optional<RequestStatus> RequestRegistry::find(const std::string& id,
                                                   const std::string& owner) const {
  return table_.with([&](const Table& table) -> std::optional<RequestStatus> {
    const auto it = table.entries.find(id);
    if (it == table.entries.end() || it->second.status.owner != owner) return std::nullopt;
    return it->second.status;
  });
}

bool RequestRegistry::cancel(const std::string& id, const std::string& owner) {
  std::function<void()> cancel;
  const bool is_known = table_.with([&](Table& table) {
    const auto it = table.entries.find(id);
    if (it == table.entries.end() || it->second.status.owner != owner) return false;
    cancel = it->second.cancel;
    return true;
  });
  if (cancel) cancel();
  return is_known;
}

void RequestRegistry::drop_old(Table& table) const {
  const auto oldest = clock_.now() - options_.finished_ttl;
  while (!table.finished.empty()) {
    const auto it = table.entries.find(table.finished.front());
    // An id that was used again is running: it is not old.
    const bool is_old = it != table.entries.end() && it->second.status.is_finished() &&
                        it->second.finished_at < oldest;
    if (!is_old && table.finished.size() <= options_.finished_max) return;
    if (it != table.entries.end() && it->second.status.is_finished()) table.entries.erase(it);
    table.finished.pop_front();
  }
}

}  // namespace limner::api
