#include "http/server_core.hpp"

#include "http/connection.hpp"

namespace limner::http {

void ConnectionRegistry::add(const std::shared_ptr<Connection>& connection,
                             const std::string& address) {
  std::lock_guard lock(mutex_);
  entries_.insert_or_assign(connection.get(), Entry{connection, address});
  ++per_address_[address];
}

void ConnectionRegistry::remove(const Connection* connection) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  const auto count = per_address_.find(found->second.address);
  if (--count->second == 0) per_address_.erase(count);
  entries_.erase(found);
  if (entries_.empty()) emptied_.notify_all();
}

std::vector<std::shared_ptr<Connection>> ConnectionRegistry::all() const {
  std::lock_guard lock(mutex_);
  std::vector<std::shared_ptr<Connection>> connections;
  connections.reserve(entries_.size());
  for (const auto& [key, entry] : entries_) connections.push_back(entry.connection);
  return connections;
}

std::size_t ConnectionRegistry::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

std::size_t ConnectionRegistry::count_from(const std::string& address) const {
  std::lock_guard lock(mutex_);
  const auto found = per_address_.find(address);
  return found == per_address_.end() ? 0 : found->second;
}

bool ConnectionRegistry::wait_until_empty(std::chrono::milliseconds wait_max) const {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, wait_max, [&] { return entries_.empty(); });
}

Response ServerCore::make_error_response(const Error& error, const Request& head) const {
  auto response = format_error(error, head);
  if (const auto status = finer_status(error)) response.status = *status;
  return response;
}

}  // namespace limner::http
