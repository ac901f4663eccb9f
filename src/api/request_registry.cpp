#include "api/request_registry.hpp"

#include <utility>

#include <fmt/format.h>

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

Result<RequestRegistry::Ticket> RequestRegistry::open(RequestStatus status, std::stop_source stop) {
  return table_.with([&](Table& table) -> Result<Ticket> {
    drop_old(table);
    auto name = std::pair(status.owner, status.id);
    if (const auto used = table.names.find(name); used != table.names.end()) {
      const auto& other = table.entries.at(used->second);
      if (!other.status.is_finished() && !other.stop.stop_requested()) {
        return Error{.kind = ErrorKind::Conflict,
                     .message = fmt::format("x-request-id: got \"{}\", which another request of "
                                            "yours has that is still on its way",
                                            status.id),
                     .param = "x-request-id",
                     .code = "request_id_in_use"};
      }
    }
    const auto job_id = status.job_id;
    table.entries.insert_or_assign(
        job_id, Entry{.status = std::move(status), .stop = std::move(stop), .place = {job_id}});
    table.names.insert_or_assign(std::move(name), job_id);
    return Ticket(*this, job_id);
  });
}

std::optional<RequestStatus> RequestRegistry::find(const std::string& id,
                                                   const std::string& owner) const {
  return table_.with([&](const Table& table) -> std::optional<RequestStatus> {
    const auto* entry = find(table, id, owner);
    return entry ? std::optional(entry->status) : std::nullopt;
  });
}

bool RequestRegistry::cancel(const std::string& id, const std::string& owner) {
  auto stop = table_.with([&](const Table& table) -> std::optional<std::stop_source> {
    const auto* entry = find(table, id, owner);
    return entry ? std::optional(entry->stop) : std::nullopt;
  });
  // Outside the lock: whoever listens may come back here.
  if (stop) stop->request_stop();
  return stop.has_value();
}

const RequestRegistry::Entry* RequestRegistry::find(const Table& table, const std::string& id,
                                                    const std::string& owner) {
  const auto name = table.names.find({owner, id});
  const auto entry = table.entries.find(name == table.names.end() ? id : name->second);
  if (entry == table.entries.end() || entry->second.status.owner != owner) return nullptr;
  return &entry->second;
}

void RequestRegistry::update(const std::string& job_id,
                             const std::function<void(RequestStatus&)>& change) {
  table_.with([&](Table& table) {
    const auto it = table.entries.find(job_id);
    if (it == table.entries.end() || it->second.status.is_finished()) return;
    change(it->second.status);
    if (!it->second.status.is_finished()) return;
    it->second.stop = std::stop_source(std::nostopstate);
    it->second.finished_at = clock_.now();
    table.finished.splice(table.finished.end(), it->second.place);
  });
}

void RequestRegistry::forget(const std::string& job_id) {
  table_.with([&](Table& table) {
    const auto it = table.entries.find(job_id);
    if (it != table.entries.end() && !it->second.status.is_finished()) erase(table, job_id);
  });
}

void RequestRegistry::drop_old(Table& table) const {
  const auto oldest = clock_.now() - options_.finished_ttl;
  while (!table.finished.empty()) {
    const auto& job_id = table.finished.front();
    const bool is_old = table.entries.at(job_id).finished_at < oldest;
    if (!is_old && table.finished.size() <= options_.finished_max) return;
    erase(table, job_id);
    table.finished.pop_front();
  }
}

void RequestRegistry::erase(Table& table, const std::string& job_id) {
  const auto it = table.entries.find(job_id);
  const auto name = table.names.find({it->second.status.owner, it->second.status.id});
  // The name may lead to a newer job by now.
  if (name != table.names.end() && name->second == job_id) table.names.erase(name);
  table.entries.erase(it);
}

RequestRegistry::Ticket::~Ticket() {
  // Short enough to need no memory, of which there may be none.
  update([](RequestStatus& status) {
    status.state = RequestState::Failed;
    status.error = Error{.kind = ErrorKind::Internal, .message = "request lost"};
  });
}

void RequestRegistry::Ticket::update(const std::function<void(RequestStatus&)>& change) {
  if (registry_ != nullptr) registry_->update(job_id_, change);
}

void RequestRegistry::Ticket::forget() {
  if (registry_ != nullptr) registry_->forget(job_id_);
  registry_ = nullptr;
}

}  // namespace limner::api
