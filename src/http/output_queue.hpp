// Strings on their way into a socket, sent without being joined.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <string>
#include <string_view>
#include <utility>

namespace limner::http {

class OutputQueue {
 public:
  static constexpr std::size_t kViewsMax = 16;

  void add(std::string bytes) {
    size_ += bytes.size();
    if (!bytes.empty()) strings_.push_back(std::move(bytes));
  }

  // The next bytes, in at most kViewsMax pieces; the rest of the array is empty views.
  std::array<std::string_view, kViewsMax> front() const {
    std::array<std::string_view, kViewsMax> views{};
    for (std::size_t i = 0; i < views.size() && i < strings_.size(); ++i) views[i] = strings_[i];
    views[0].remove_prefix(sent_of_first_);
    return views;
  }

  void consume(std::size_t size_bytes) {
    size_ -= size_bytes;
    sent_of_first_ += size_bytes;
    while (!strings_.empty() && sent_of_first_ >= strings_.front().size()) {
      sent_of_first_ -= strings_.front().size();
      strings_.pop_front();
    }
  }

  void clear() { *this = {}; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

 private:
  std::deque<std::string> strings_;
  std::size_t sent_of_first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace limner::http
