// Bytes on their way into a socket, sent without being joined: strings, and parts of files that are
// read by the kernel when their turn comes.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include "base/shared_content.hpp"

namespace limner::http {

class OutputQueue {
 public:
  static constexpr std::size_t kViewsMax = 16;

  void add(std::string bytes) { push(std::move(bytes)); }
  void add(SharedContent content) { push(std::move(content)); }

  // The next bytes in memory, in at most kViewsMax pieces; the rest of the array is empty views.
  // All are empty when a file is next.
  std::array<std::string_view, kViewsMax> front() const {
    std::array<std::string_view, kViewsMax> views{};
    for (std::size_t i = 0; i < views.size() && i < pieces_.size() && !file_in(pieces_[i]); ++i) {
      views[i] = bytes_of(pieces_[i]);
    }
    if (!views[0].empty()) views[0].remove_prefix(sent_of_first_);
    return views;
  }
  // What is left of the file that is next.
  std::optional<SharedContent> front_file() const {
    const auto* file = pieces_.empty() ? nullptr : file_in(pieces_.front());
    if (!file) return std::nullopt;
    return file->part(sent_of_first_, file->size() - sent_of_first_);
  }

  void consume(std::size_t size_bytes) {
    size_ -= size_bytes;
    sent_of_first_ += size_bytes;
    while (!pieces_.empty() && sent_of_first_ >= size_of(pieces_.front())) {
      sent_of_first_ -= size_of(pieces_.front());
      pieces_.pop_front();
    }
  }

  void clear() { *this = {}; }
  bool empty() const { return size_ == 0; }
  std::size_t size() const { return size_; }

 private:
  using Piece = std::variant<std::string, SharedContent>;

  static const SharedContent* file_in(const Piece& piece) {
    const auto* content = std::get_if<SharedContent>(&piece);
    return content && content->is_file() ? content : nullptr;
  }
  static std::string_view bytes_of(const Piece& piece) {
    const auto* bytes = std::get_if<std::string>(&piece);
    return bytes ? std::string_view(*bytes) : std::get<SharedContent>(piece).in_memory();
  }
  static std::size_t size_of(const Piece& piece) {
    return std::visit([](const auto& bytes) { return bytes.size(); }, piece);
  }
  void push(Piece piece) {
    const std::size_t size = size_of(piece);
    size_ += size;
    if (size > 0) pieces_.push_back(std::move(piece));
  }

  std::deque<Piece> pieces_;
  std::size_t sent_of_first_ = 0;
  std::size_t size_ = 0;
};

}  // namespace limner::http
