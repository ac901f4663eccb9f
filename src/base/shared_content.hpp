// Bytes that many readers share and nobody changes: of an open file, or in memory. Copies and parts
// are views that keep the whole alive.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "base/descriptor.hpp"

namespace limner {

class SharedContent {
 public:
  explicit SharedContent(std::string bytes)
      : memory_(std::make_shared<const std::string>(std::move(bytes))), size_(memory_->size()) {}
  // The first `size` bytes of a file that is not written to any more.
  SharedContent(Descriptor file, std::size_t size)
      : file_(std::make_shared<const Descriptor>(std::move(file))), size_(size) {}

  std::size_t size() const { return size_; }
  // `offset + size` is within this content.
  SharedContent part(std::size_t offset, std::size_t size) const {
    SharedContent part = *this;
    part.offset_ += offset;
    part.size_ = size;
    return part;
  }

  bool is_file() const { return file_ != nullptr; }
  // Of a file: where to read, and from which byte on.
  int file() const { return file_->get(); }
  std::size_t file_offset() const { return offset_; }
  // Empty for a file.
  std::string_view in_memory() const {
    return memory_ ? std::string_view(*memory_).substr(offset_, size_) : std::string_view();
  }

 private:
  std::shared_ptr<const std::string> memory_;
  std::shared_ptr<const Descriptor> file_;
  std::size_t offset_ = 0;
  std::size_t size_ = 0;
};

}  // namespace limner
