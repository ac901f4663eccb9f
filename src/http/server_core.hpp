// What all connections of a server share.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/body_budget.hpp"
#include "http/byte_budget.hpp"
#include "http/connection.hpp"
#include "http/server.hpp"

namespace limner::http {

// Who is connected. Any thread.
class ConnectionRegistry {
 public:
  void add(const std::shared_ptr<Connection>& connection, const Peer& peer);
  void remove(const Connection* connection);
  std::vector<std::shared_ptr<Connection>> all() const;
  // What one more connection from `network` may ask for; empty when not even that.
  std::optional<Admission> admit(const std::string& network, const ServerOptions& options) const;
  // False when the next would be refused whoever it is.
  bool has_room(const ServerOptions& options) const;
  std::size_t size() const;
  // False when some were left after `wait_max`.
  bool wait_until_empty(std::chrono::milliseconds wait_max) const;

 private:
  struct Entry {
    std::shared_ptr<Connection> connection;
    std::string network;
    Admission admission;
  };
  mutable std::mutex mutex_;
  mutable std::condition_variable emptied_;
  std::unordered_map<const Connection*, Entry> entries_;
  std::unordered_map<std::string, std::size_t> per_network_;
  std::size_t vital_only_count_ = 0;
};

struct ServerCore {
  ServerOptions options;
  RouteTable routes;
  ErrorFormatter format_error;
  ServerObserver& observer;
  BodyBudget body_budget;
  std::shared_ptr<ByteBudget> answer_budget;
  std::atomic<bool> is_draining{false};
  ConnectionRegistry connections;
};

Error too_many_connections();

}  // namespace limner::http
