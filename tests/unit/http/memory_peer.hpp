// A peer without a network: the test is the client, and time stands still.
#pragma once

#include <algorithm>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <unistd.h>

#include "http/connection.hpp"
#include "http/peer_socket.hpp"
#include "http/server_core.hpp"

namespace limner::http {

// The client's end of a MemoryPeer.
struct ClientEnd {
  std::string to_server;                   // not yet taken by the server
  std::string from_server;                 // what the server has sent
  std::size_t window = std::string::npos;  // how much more the client takes
  bool has_ended = false;
  bool is_broken = false;
  bool was_reset = false;  // by the server
};

class MemoryPeer final : public PeerSocket {
 public:
  MemoryPeer(boost::asio::io_context& context, std::shared_ptr<ClientEnd> client)
      : context_(context), client_(std::move(client)) {}

  void start(std::function<void()> notify) override {
    notify_ = std::make_shared<std::function<void()>>(std::move(notify));
  }
  // The test changed the client's end.
  void changed() {
    take_input();
    post_notify();
  }

  std::string_view input() const override { return input_; }
  void consume(std::size_t size_bytes) override {
    input_.erase(0, size_bytes);
    if (take_input()) post_notify();
  }
  void read_up_to(std::size_t unread_bytes_max) override {
    unread_bytes_max_ = unread_bytes_max;
    if (take_input()) post_notify();
  }
  // As a socket: the end is seen when all before it was read.
  bool has_ended() const override { return has_ended_ || is_broken(); }
  bool is_broken() const override { return is_closed_ || client_->is_broken; }
  void write(OutputQueue& output) override {
    while (!output.empty() && client_->window > 0 && !is_broken()) {
      std::string next(output.front()[0]);
      if (const auto file = output.front_file()) {
        next.resize(file->size());
        const auto n = ::pread(file->file(), next.data(), next.size(),
                               static_cast<off_t>(file->file_offset()));
        next.resize(n > 0 ? static_cast<std::size_t>(n) : 0);
        if (next.empty()) client_->is_broken = true;
      }
      next.resize(std::min(next.size(), client_->window));
      if (client_->window != std::string::npos) client_->window -= next.size();
      output.consume(next.size());
      client_->from_server += next;
    }
  }
  void shutdown_write() override {}
  void reset() override {
    client_->was_reset = true;
    close();
  }
  void close() override {
    is_closed_ = true;
    *notify_ = nullptr;
  }

 private:
  bool take_input() {
    const std::size_t room =
        unread_bytes_max_ > input_.size() ? unread_bytes_max_ - input_.size() : 0;
    const auto size = std::min(room, client_->to_server.size());
    input_ += client_->to_server.substr(0, size);
    client_->to_server.erase(0, size);
    const bool ends = room > size && client_->has_ended && !has_ended_;
    has_ended_ = has_ended_ || ends;
    return size > 0 || ends;
  }
  void post_notify() {
    boost::asio::post(context_, [notify = notify_] {
      if (*notify) (*notify)();
    });
  }

  boost::asio::io_context& context_;
  std::shared_ptr<ClientEnd> client_;
  std::shared_ptr<std::function<void()>> notify_;
  std::string input_;
  std::size_t unread_bytes_max_ = 0;
  bool has_ended_ = false;
  bool is_closed_ = false;
};

// A server's connections without its sockets. Handlers run within send(), end() and so on.
class MemoryServer {
 public:
  MemoryServer(ServerOptions options, RouteTable routes, ErrorFormatter format_error)
      : core_{.options = std::move(options),
              .routes = std::move(routes),
              .format_error = std::move(format_error),
              .observer = observer_,
              .body_budget = BodyBudget(core_.options.bodies),
              .answer_budget = std::make_shared<ByteBudget>(core_.options.answer_memory_bytes_max,
                                                            core_.options.answer_memory_bytes_max),
              .connections = {}} {}
  ~MemoryServer() {
    for (const auto& connection : core_.connections.all()) connection->close();
    run();
  }
  MemoryServer(const MemoryServer&) = delete;
  MemoryServer& operator=(const MemoryServer&) = delete;

  class Client {
   public:
    Client(MemoryServer& server, Peer peer) : server_(server) {
      auto socket = std::make_unique<MemoryPeer>(server.context_, end_);
      socket_ = socket.get();
      connection_ = make_connection(server.core_, server.context_, std::move(socket), peer);
      server.core_.connections.add(connection_, peer);
      connection_->start();
      server.run();
    }
    void send(std::string_view bytes) {
      end_->to_server += bytes;
      change();
    }
    // Shuts down its sending side.
    void end() {
      end_->has_ended = true;
      change();
    }
    // As its kernel does when the server writes to a socket that was closed.
    void reset() {
      end_->is_broken = true;
      change();
    }
    void take_up_to(std::size_t size_bytes) { end_->window = size_bytes; }
    void take_more(std::size_t size_bytes) {
      end_->window = size_bytes;
      change();
    }
    const std::string& received() const { return end_->from_server; }
    bool was_reset() const { return end_->was_reset; }
    std::size_t unsent() const { return end_->to_server.size(); }

   private:
    void change() {
      socket_->changed();
      server_.run();
    }
    MemoryServer& server_;
    std::shared_ptr<ClientEnd> end_ = std::make_shared<ClientEnd>();
    MemoryPeer* socket_;
    std::shared_ptr<Connection> connection_;
  };

  Client connect(Peer peer = {.host = "127.0.0.1"}) { return Client(*this, std::move(peer)); }
  // Until nothing is left to do but wait.
  void run() {
    context_.restart();
    context_.poll();
  }
  std::size_t connection_count() const { return core_.connections.size(); }
  ServerCore& core() { return core_; }

 private:
  ServerObserver observer_;
  boost::asio::io_context context_{1};
  ServerCore core_;
};

}  // namespace limner::http
