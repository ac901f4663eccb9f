// A server on loopback that does exactly what a test says, well or badly.
#pragma once

#include <atomic>
#include <functional>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/descriptor.hpp"

namespace limner::test {

// One accepted connection.
class ScriptedPeer {
 public:
  explicit ScriptedPeer(int fd) : socket_(fd) {}

  // The head and the body of the next request; empty when the client closed.
  std::string read_request() {
    std::string text;
    std::size_t wanted = std::string::npos;
    while (text.size() < wanted) {
      char buffer[16384];
      const auto count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
      if (count <= 0) return {};
      text.append(buffer, static_cast<std::size_t>(count));
      const auto head_end = text.find("\r\n\r\n");
      if (head_end == std::string::npos || wanted != std::string::npos) continue;
      wanted = head_end + 4;
      const auto length = text.find("Content-Length: ");
      if (length < head_end) wanted += std::stoul(text.substr(length + 16));
    }
    return text;
  }
  // Reads at most one buffer, so that the client is still sending.
  void read_some() {
    char buffer[1024];
    [[maybe_unused]] const auto count = ::recv(socket_.get(), buffer, sizeof buffer, 0);
  }
  bool write(std::string_view text) {
    while (!text.empty()) {
      const auto count = ::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL);
      if (count <= 0) return false;
      text.remove_prefix(static_cast<std::size_t>(count));
    }
    return true;
  }
  // Until the client closes, ten seconds at most. False: it never did.
  bool wait_for_end() {
    pollfd wanted{.fd = socket_.get(), .events = POLLIN, .revents = 0};
    char buffer[16384];
    while (::poll(&wanted, 1, 10'000) == 1) {
      if (::recv(socket_.get(), buffer, sizeof buffer, 0) <= 0) return true;
    }
    return false;
  }
  void reset() {
    const linger at_once{.l_onoff = 1, .l_linger = 0};
    ::setsockopt(socket_.get(), SOL_SOCKET, SO_LINGER, &at_once, sizeof at_once);
    ::close(socket_.take());
  }

 private:
  Descriptor socket_;
};

class ScriptedServer {
 public:
  // `script` runs once for each connection, with its number from 0, on a thread of its own.
  using Script = std::function<void(ScriptedPeer&, int connection)>;

  explicit ScriptedServer(Script script)
      : script_(std::move(script)), listener_(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::listen(listener_.get(), 64);
    socklen_t size = sizeof address;
    ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size);
    port_ = ntohs(address.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }
  ~ScriptedServer() {
    ::shutdown(listener_.get(), SHUT_RDWR);
    acceptor_.join();
    for (auto& thread : peers_) thread.join();
  }
  ScriptedServer(const ScriptedServer&) = delete;
  ScriptedServer& operator=(const ScriptedServer&) = delete;

  std::string url(std::string_view path = "/") const {
    return "http://127.0.0.1:" + std::to_string(port_) + std::string(path);
  }
  int connection_count() const { return connection_count_; }

 private:
  void accept_all() {
    while (true) {
      const int fd = ::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      const int number = connection_count_++;
      peers_.emplace_back([this, fd, number] {
        ScriptedPeer peer(fd);
        script_(peer, number);
      });
    }
  }

  const Script script_;
  Descriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connection_count_ = 0;
  std::vector<std::thread> peers_;  // the acceptor's, until it is joined
  std::thread acceptor_;
};

}  // namespace limner::test
