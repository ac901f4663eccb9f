#include "http/part.hpp"

#include <utility>

#include <sys/mman.h>

namespace limner::http {

PartContent::PartContent(PartContent&& other) noexcept
    : memory_(std::move(other.memory_)),
      mapped_(std::exchange(other.mapped_, nullptr)),
      mapped_size_(std::exchange(other.mapped_size_, 0)) {}

PartContent& PartContent::operator=(PartContent&& other) noexcept {
  std::swap(memory_, other.memory_);
  std::swap(mapped_, other.mapped_);
  std::swap(mapped_size_, other.mapped_size_);
  return *this;
}

PartContent::~PartContent() {
  if (mapped_) ::munmap(const_cast<std::uint8_t*>(mapped_), mapped_size_);
}

std::span<const std::uint8_t> PartContent::bytes() const {
  if (mapped_) return {mapped_, mapped_size_};
  return {reinterpret_cast<const std::uint8_t*>(memory_.data()), memory_.size()};
}

std::string_view PartContent::text() const {
  const auto all = bytes();
  return {reinterpret_cast<const char*>(all.data()), all.size()};
}

}  // namespace limner::http
