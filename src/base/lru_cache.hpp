// A few values by key; the least recently used makes room.
#pragma once

#include <algorithm>
#include <cstddef>
#include <list>
#include <string>
#include <string_view>
#include <utility>

namespace limner {

// Meant for tens of entries: a lookup walks the list. One thread at a time.
template <typename V>
class LruCache {
 public:
  explicit LruCache(std::size_t capacity) : capacity_(std::max<std::size_t>(capacity, 1)) {}

  // Null when absent. The pointer is good until the next put() or make_room().
  V* find(std::string_view key) {
    const auto it = std::ranges::find(entries_, key, &Entry::first);
    if (it == entries_.end()) return nullptr;
    entries_.splice(entries_.begin(), entries_, it);
    return &entries_.front().second;
  }

  // Drops what put() would drop, before the new value is made: two large ones may not fit.
  void make_room() {
    while (entries_.size() >= capacity_) entries_.pop_back();
  }

  V& put(std::string key, V value) {
    make_room();
    entries_.emplace_front(std::move(key), std::move(value));
    return entries_.front().second;
  }

 private:
  using Entry = std::pair<std::string, V>;
  std::size_t capacity_;
  std::list<Entry> entries_;  // most recently used first
};

}  // namespace limner
