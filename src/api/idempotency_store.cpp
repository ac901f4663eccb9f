#include "api/idempotency_store.hpp"

#include <utility>

namespace limner::api {
namespace {

// Busy, late or broken: the same request may succeed when it is sent again.
bool is_worth_keeping(const http::Response& response) {
  const int status = response.status;
  return status < 500 && status != 408 && status != 409 && status != 429;
}

}  // namespace

IdempotencyStore::Begin IdempotencyStore::begin(const std::string& key, const std::string& digest,
                                                Answer answer) {
  return table_.with([&](Table& table) -> Begin {
    drop_old(table);
    const auto [it, is_new] = table.entries.try_emplace(key);
    Entry& entry = it->second;
    if (is_new) {
      entry.digest = digest;
      return First{};
    }
    if (entry.digest != digest) return Clash{};
    if (entry.response) return *entry.response;
    if (entry.waiting.size() >= options_.waiting_max) return Crowded{};
    entry.waiting.push_back(std::move(answer));
    return Waits{};
  });
}

void IdempotencyStore::finish(const std::string& key, const http::Response& response) {
  std::vector<Answer> waiting;
  table_.with([&](Table& table) {
    const auto it = table.entries.find(key);
    if (it == table.entries.end()) return;
    waiting = std::exchange(it->second.waiting, {});
    if (!is_worth_keeping(response)) {
      table.entries.erase(it);
      return;
    }
    it->second.response = response;
    it->second.finished_at = clock_.now();
    table.finished.push_back(key);
    table.size_bytes += response.body_size();
    drop_old(table);
  });
  for (const auto& answer : waiting) answer(response);
}

void IdempotencyStore::drop_old(Table& table) const {
  const auto oldest = clock_.now() - options_.ttl;
  while (!table.finished.empty()) {
    const auto it = table.entries.find(table.finished.front());
    const bool is_old = it->second.finished_at < oldest;
    if (!is_old && table.size_bytes <= options_.size_bytes_max) return;
    table.size_bytes -= it->second.response->body_size();
    table.entries.erase(it);
    table.finished.pop_front();
  }
}

}  // namespace limner::api
