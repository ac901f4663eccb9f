// What all connections of a server share.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include "http/memory_budget.hpp"
#include "http/server.hpp"

namespace limner::http {

class Connection;

// Who is connected. Any thread.
class ConnectionRegistry {
 public:
  void add(const std::shared_ptr<Connection>& connection, const std::string& address);
  void remove(const Connection* connection);
  std::vector<std::shared_ptr<Connection>> all() const;
  std::size_t size() const;
  std::size_t count_from(const std::string& address) const;
  // False when some were left after `wait_max`.
  bool wait_until_empty(std::chrono::milliseconds wait_max) const;

 private:
  struct Entry {
    std::shared_ptr<Connection> connection;
    std::string address;
  };
  mutable std::mutex mutex_;
  mutable std::condition_variable emptied_;
  std::unordered_map<const Connection*, Entry> entries_;
  std::unordered_map<std::string, std::size_t> per_address_;
};

struct ServerCore {
  ServerOptions options;
  RouteTable routes;
  ErrorFormatter format_error;
  ServerObserver& observer;
  std::shared_ptr<MemoryBudget> body_budget;
  std::atomic<bool> is_draining{false};
  ConnectionRegistry connections;

  // `error` as an answer: the formatter's, with the finer status where there is one.
  Response make_error_response(const Error& error, const Request& head) const;
};

}  // namespace limner::http
