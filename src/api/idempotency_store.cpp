#include "api/idempotency_store.hpp"

#include <algorithm>
#include <utility>

namespace limner::api {
namespace {

// Memory behind a string: short ones live in the object itself.
std::size_t heap_size(const std::string& text) {
  constexpr std::size_t kInsideMax = 15;
  constexpr std::size_t kAllocationBytes = 16;
  return text.capacity() > kInsideMax ? text.capacity() + kAllocationBytes : 0;
}

std::size_t size_of(const Answer& answer) {
  std::size_t size = sizeof(answer) + answer.response.body_size();
  for (const auto& field : answer.response.headers) {
    size += sizeof(field) + heap_size(field.name) + heap_size(field.value);
  }
  for (const auto& id : answer.blob_ids) size += sizeof(id) + heap_size(id);
  return size;
}

}  // namespace

IdempotencyStore::Begin IdempotencyStore::begin(const std::string& key, const std::string& digest,
                                                Listener listener) {
  return table_.with([&](Table& table) -> Begin {
    drop_old(table);
    auto it = table.entries.find(key);
    if (it != table.entries.end() && it->second.answer && !is_alive(*it->second.answer)) {
      drop(table, it);
      it = table.entries.end();
    }
    if (it == table.entries.end()) {
      table.entries[key].digest = digest;
      return First{};
    }
    Entry& entry = it->second;
    if (entry.digest != digest) return Clash{};
    if (entry.answer) return entry.answer;
    if (entry.waiting.size() >= options_.waiting_max) return Crowded{};
    entry.waiting.push_back(std::move(listener));
    return Waits{};
  });
}

void IdempotencyStore::finish(const std::string& key, const Stored& answer) {
  const int status = answer->response.status;
  std::vector<Listener> waiting;
  table_.with([&](Table& table) {
    const auto it = table.entries.find(key);
    if (it == table.entries.end() || it->second.answer) return;
    waiting = std::exchange(it->second.waiting, {});
    if (status >= 200 && status < 300) {
      keep(table, it, answer);
    } else {
      table.entries.erase(it);
    }
  });
  for (const auto& listener : waiting) listener(answer);
}

std::size_t IdempotencyStore::used_size_bytes() const {
  return table_.with([](const Table& table) { return table.size_bytes; });
}

bool IdempotencyStore::is_alive(const Answer& answer) const {
  return std::ranges::all_of(answer.blob_ids,
                             [&](const auto& id) { return bool(pictures_.info(id)); });
}

void IdempotencyStore::keep(Table& table, Entries::iterator it, Stored answer) const {
  // Of a tree's node, and of what a table of such nodes leaves unused.
  constexpr std::size_t kNodeBytes = 64;
  Entry& entry = it->second;
  entry.size_bytes = kNodeBytes + sizeof(*it) + sizeof(it) + heap_size(it->first) +
                     heap_size(entry.digest) + size_of(*answer);
  // One that can never fit must not cost the others their place.
  if (entry.size_bytes > options_.size_bytes_max) {
    table.entries.erase(it);
    return;
  }
  entry.answer = std::move(answer);
  entry.finished_at = clock_.now();
  table.finished.push_back(it);
  table.size_bytes += entry.size_bytes;
  drop_old(table);
}

void IdempotencyStore::drop_old(Table& table) const {
  const auto oldest = clock_.now() - options_.ttl;
  while (!table.finished.empty()) {
    const auto it = table.finished.front();
    if (it->second.finished_at >= oldest && table.size_bytes <= options_.size_bytes_max) return;
    table.finished.pop_front();
    table.size_bytes -= it->second.size_bytes;
    table.entries.erase(it);
  }
}

void IdempotencyStore::drop(Table& table, Entries::iterator it) {
  std::erase(table.finished, it);
  table.size_bytes -= it->second.size_bytes;
  table.entries.erase(it);
}

}  // namespace limner::api
