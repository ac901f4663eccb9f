// A file descriptor that closes itself.
#pragma once

#include <utility>

#include <unistd.h>

namespace limner {

class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd) {}  // negative: nothing to close
  Descriptor(Descriptor&& other) noexcept : fd_(other.take()) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  int get() const { return fd_; }
  int take() { return std::exchange(fd_, -1); }  // the caller closes it

 private:
  int fd_;
};

}  // namespace limner
