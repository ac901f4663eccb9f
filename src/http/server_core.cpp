#include "http/server_core.hpp"

namespace limner::http {
namespace {

// Beyond the limits: who asks for what is vital, one request each.
constexpr std::size_t kVitalOnlyMax = 64;

}  // namespace

void ConnectionRegistry::add(const std::shared_ptr<Connection>& connection, const Peer& peer) {
  std::lock_guard lock(mutex_);
  entries_.insert_or_assign(connection.get(), Entry{connection, peer.network, peer.admission});
  ++per_network_[peer.network];
  if (peer.admission == Admission::VitalOnly) ++vital_only_count_;
}

void ConnectionRegistry::remove(const Connection* connection) {
  std::lock_guard lock(mutex_);
  const auto found = entries_.find(connection);
  if (found == entries_.end()) return;
  const auto count = per_network_.find(found->second.network);
  if (--count->second == 0) per_network_.erase(count);
  if (found->second.admission == Admission::VitalOnly) --vital_only_count_;
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

std::optional<Admission> ConnectionRegistry::admit(const std::string& network,
                                                   const ServerOptions& options) const {
  std::lock_guard lock(mutex_);
  const auto found = per_network_.find(network);
  const std::size_t from_there = found == per_network_.end() ? 0 : found->second;
  const bool is_full = entries_.size() - vital_only_count_ >= options.connections_max;
  const bool is_greedy = !network.empty() && from_there >= options.connections_per_address_max;
  if (!is_full && !is_greedy) return Admission::Full;
  if (vital_only_count_ < kVitalOnlyMax) return Admission::VitalOnly;
  return std::nullopt;
}

bool ConnectionRegistry::has_room(const ServerOptions& options) const {
  std::lock_guard lock(mutex_);
  return vital_only_count_ < kVitalOnlyMax ||
         entries_.size() - vital_only_count_ < options.connections_max;
}

std::size_t ConnectionRegistry::size() const {
  std::lock_guard lock(mutex_);
  return entries_.size();
}

bool ConnectionRegistry::wait_until_empty(std::chrono::milliseconds wait_max) const {
  std::unique_lock lock(mutex_);
  return emptied_.wait_for(lock, wait_max, [&] { return entries_.empty(); });
}

Error too_many_connections() {
  return {.kind = ErrorKind::Unavailable,
          .message = "too many connections, from this address or in all",
          .code = "too_many_connections",
          .retry_after = std::chrono::seconds(1)};
}

}  // namespace limner::http
