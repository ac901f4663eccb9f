// One part of a multipart/form-data body.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace limner::http {

// The bytes of a part: in memory, or a mapped temporary file that has no name. Immutable once the
// request is complete, so any thread may read it. Move-only.
class PartContent {
 public:
  PartContent() = default;
  explicit PartContent(std::string bytes) : memory_(std::move(bytes)) {}
  // Takes over a private mapping of `size` bytes; unmapped at the end.
  PartContent(const std::uint8_t* mapped, std::size_t size) : mapped_(mapped), mapped_size_(size) {}
  PartContent(PartContent&& other) noexcept;
  PartContent& operator=(PartContent&& other) noexcept;
  PartContent(const PartContent&) = delete;
  PartContent& operator=(const PartContent&) = delete;
  ~PartContent();

  std::size_t size() const { return mapped_ ? mapped_size_ : memory_.size(); }
  bool is_spilled() const { return mapped_ != nullptr; }
  std::span<const std::uint8_t> bytes() const;
  std::string_view text() const;

 private:
  std::string memory_;
  const std::uint8_t* mapped_ = nullptr;
  std::size_t mapped_size_ = 0;
};

struct Part {
  std::string name;
  std::string filename;       // its bytes as sent, in whatever encoding: never a path to open
  bool has_filename = false;  // browsers and SDKs send a filename with files only
  std::string content_type;   // as sent, empty when absent; says nothing reliable
  PartContent content;
};

}  // namespace limner::http
