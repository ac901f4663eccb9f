// A client that sends exactly the bytes it is told, and reads until a deadline.
#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace limner::http {

class RawClient {
 public:
  explicit RawClient(std::uint16_t port) : fd_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    is_connected_ =
        ::connect(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;
  ~RawClient() { close(); }

  bool is_connected() const { return is_connected_; }

  // False when the peer took no more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (n <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(n));
    }
    return true;
  }

  // As much as the kernel takes at once, without waiting.
  std::size_t send_some(std::string_view bytes) {
    const auto n = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    return n > 0 ? static_cast<std::size_t>(n) : 0;
  }

  // Reads until `text` has come (everything up to its end is returned), the peer closed, or 10 s.
  std::string read_until(std::string_view text) {
    for (;;) {
      const auto found = received_.find(text);
      if (found != received_.npos) return take(found + text.size());
      if (!receive()) return take(received_.size());
    }
  }

  // Reads until the peer closes; `was_reset()` says how.
  std::string read_all() {
    while (receive()) {
    }
    return take(received_.size());
  }

  // One answer with Content-Length.
  std::string read_answer() {
    std::string head = read_until("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    if (at == head.npos) return head;
    const auto size = static_cast<std::size_t>(std::stoul(head.substr(at + 16)));
    while (received_.size() < size && receive()) {
    }
    return head + take(size);
  }

  void shutdown_write() { ::shutdown(fd_, SHUT_WR); }
  void shrink_receive_buffer() {
    const int size = 4096;
    ::setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  }
  void close() {
    if (fd_ >= 0) ::close(fd_);
    fd_ = -1;
  }
  void reset() {
    const linger now{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(fd_, SOL_SOCKET, SO_LINGER, &now, sizeof now);
    close();
  }
  bool was_reset() const { return was_reset_; }
  bool has_ended() const { return has_ended_; }

 private:
  bool receive() {
    pollfd poller{.fd = fd_, .events = POLLIN, .revents = 0};
    if (has_ended_ || ::poll(&poller, 1, 10'000) <= 0) return false;
    char buffer[65'536];
    const auto n = ::recv(fd_, buffer, sizeof buffer, 0);
    if (n <= 0) has_ended_ = true;
    if (n < 0) was_reset_ = true;
    if (n > 0) received_.append(buffer, static_cast<std::size_t>(n));
    return n > 0;
  }
  std::string take(std::size_t size) {
    std::string text = received_.substr(0, size);
    received_.erase(0, size);
    return text;
  }

  int fd_;
  bool is_connected_ = false;
  bool has_ended_ = false;
  bool was_reset_ = false;
  std::string received_;
};

}  // namespace limner::http
