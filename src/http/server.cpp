#include "http/server.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <future>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/check.hpp"
#include "base/log.hpp"
#include "http/connection.hpp"
#include "http/response_encoder.hpp"
#include "http/server_core.hpp"

namespace limner::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

ServerObserver& silent_observer() {
  static ServerObserver observer;
  return observer;
}

Error listen_error(const ServerOptions& options, const error_code& ec) {
  std::string reason =
      fmt::format("cannot listen on {} port {}: {}", options.host, options.port, ec.message());
  if (ec == asio::error::address_in_use) {
    reason = fmt::format(
        "port {} on {} is already in use: stop the program that listens there, or choose another "
        "port",
        options.port, options.host);
  } else if (ec == asio::error::access_denied) {
    reason = fmt::format(
        "not allowed to listen on port {}: ports below 1024 need privileges, choose another port",
        options.port);
  } else if (ec == boost::system::errc::address_not_available) {
    reason = fmt::format("{} is not an address of this machine: choose another host", options.host);
  }
  return {.kind = ErrorKind::Unavailable, .message = std::move(reason), .code = "cannot_listen"};
}

// An I/O thread and what runs on it. A connection stays on one loop, so nothing in it needs a lock.
struct Loop {
  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard = asio::make_work_guard(context);
  std::thread thread;
};

}  // namespace

class Server::Impl {
 public:
  Impl(ServerOptions options, RouteTable routes, ErrorFormatter format_error,
       ServerObserver* observer);

  Result<void> listen();
  std::uint16_t port() const { return port_; }
  void start();
  bool drain(std::chrono::milliseconds deadline);
  void stop();

 private:
  void wait_for_clients();
  void accept_waiting();
  bool accept_one();
  void pause_accepting();
  void refuse(int fd, const PeerAddress& peer);
  void stop_accepting();

  ServerCore core_;
  std::vector<std::unique_ptr<Loop>> loops_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::size_t accepted_count_ = 0;
  bool is_started_ = false;
};

Server::Impl::Impl(ServerOptions options, RouteTable routes, ErrorFormatter format_error,
                   ServerObserver* observer)
    : core_{.options = std::move(options),
            .routes = std::move(routes),
            .format_error = std::move(format_error),
            .observer = observer ? *observer : silent_observer(),
            .body_budget = {},
            .connections = {}},
      loops_([&] {
        LIMNER_CHECK(core_.options.io_threads >= 1, "a server needs an I/O thread");
        std::vector<std::unique_ptr<Loop>> loops;
        for (int i = 0; i < core_.options.io_threads; ++i) {
          loops.push_back(std::make_unique<Loop>());
        }
        return loops;
      }()),
      acceptor_(loops_[0]->context),
      pause_(loops_[0]->context) {
  core_.body_budget = std::make_shared<MemoryBudget>(core_.options.body_memory_bytes_max);
  if (core_.options.spill_folder.empty()) {
    core_.options.spill_folder = std::filesystem::temp_directory_path();
  }
}

Result<void> Server::Impl::listen() {
  const auto& options = core_.options;
  error_code ec;
  tcp::resolver resolver(loops_[0]->context);
  const auto found = resolver.resolve(options.host, std::to_string(options.port),
                                      tcp::resolver::passive | tcp::resolver::numeric_service, ec);
  if (ec || found.empty()) {
    return Error{.kind = ErrorKind::InvalidArgument,
                 .message = fmt::format("cannot listen on \"{}\": not an address or a known name",
                                        options.host),
                 .code = "cannot_listen"};
  }
  const tcp::endpoint endpoint = found.begin()->endpoint();
  acceptor_.open(endpoint.protocol(), ec);
  if (!ec) acceptor_.set_option(tcp::acceptor::reuse_address(true), ec);
  if (!ec) acceptor_.bind(endpoint, ec);
  if (!ec) acceptor_.listen(4096, ec);
  if (!ec) acceptor_.non_blocking(true, ec);
  if (!ec) port_ = acceptor_.local_endpoint(ec).port();
  if (ec) {
    error_code ignored;
    acceptor_.close(ignored);
    return listen_error(options, ec);
  }
  return {};
}

void Server::Impl::start() {
  LIMNER_CHECK(acceptor_.is_open() && !is_started_, "listen() comes before start(), once");
  is_started_ = true;
  asio::post(loops_[0]->context, [this] { wait_for_clients(); });
  for (auto& loop : loops_) {
    loop->thread = std::thread([&context = loop->context] { context.run(); });
  }
}

void Server::Impl::wait_for_clients() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const error_code& ec) {
    if (!ec) accept_waiting();
  });
}

void Server::Impl::accept_waiting() {
  constexpr int kBurst = 64;  // then others on this loop get their turn
  for (int i = 0; i < kBurst; ++i) {
    if (core_.connections.size() >= core_.options.connections_max) return pause_accepting();
    if (accept_one()) continue;
    const bool is_drained = errno == EAGAIN || errno == EWOULDBLOCK;
    const bool is_client_fault = errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
    if (is_drained) break;
    if (is_client_fault) continue;
    log::error("http: cannot accept a connection: {}", std::strerror(errno));
    return pause_accepting();
  }
  wait_for_clients();
}

// False with errno when there was none.
bool Server::Impl::accept_one() {
  tcp::endpoint remote;
  auto size = static_cast<socklen_t>(remote.capacity());
  const int fd =
      ::accept4(acceptor_.native_handle(), remote.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK);
  if (fd < 0) return false;
  remote.resize(size);
  PeerAddress peer{.host = remote.address().to_string(), .port = remote.port()};
  if (core_.connections.count_from(peer.host) >= core_.options.connections_per_address_max) {
    refuse(fd, peer);
    return true;
  }
  auto& loop = *loops_[accepted_count_++ % loops_.size()];
  const auto host = peer.host;
  const auto connection = make_connection(core_, loop.context, fd, std::move(peer));
  core_.connections.add(connection, host);
  connection->start();
  return true;
}

// Out of connections or descriptors: clients wait in the kernel's queue until some are free again.
void Server::Impl::pause_accepting() {
  constexpr std::chrono::milliseconds kPause{50};
  pause_.expires_after(kPause);
  pause_.async_wait([this](const error_code& ec) {
    if (!ec) wait_for_clients();
  });
}

void Server::Impl::refuse(int fd, const PeerAddress& peer) {
  core_.observer.connection_refused();
  Request nobody;
  nobody.remote_address = peer.host;
  nobody.remote_port = peer.port;
  const auto response =
      core_.make_error_response({.kind = ErrorKind::Unavailable,
                                 .message = fmt::format("more than {} connections from one address",
                                                        core_.options.connections_per_address_max),
                                 .code = "too_many_connections",
                                 .retry_after = std::chrono::seconds(1)},
                                nobody);
  const auto bytes =
      encode_head(response, {.keeps_alive = false, .now = std::time(nullptr)}) + response.body;
  // Best effort: whoever opens that many connections may not be reading.
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    log::debug("http: a refused connection did not take its answer");
  }
  ::close(fd);
}

void Server::Impl::stop_accepting() {
  // Who is already in the kernel's queue is still served: closing would reset them.
  while (acceptor_.is_open() && core_.connections.size() < core_.options.connections_max &&
         accept_one()) {
  }
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

bool Server::Impl::drain(std::chrono::milliseconds deadline) {
  constexpr std::chrono::seconds kCloseWait{10};
  core_.is_draining = true;
  if (!is_started_) {
    error_code ignored;
    acceptor_.close(ignored);
    return true;
  }
  std::promise<void> stopped;
  asio::post(loops_[0]->context, [&] {
    stop_accepting();
    stopped.set_value();
  });
  stopped.get_future().wait();
  for (const auto& connection : core_.connections.all()) connection->drain();
  if (core_.connections.wait_until_empty(deadline)) return true;
  for (const auto& connection : core_.connections.all()) connection->close();
  const bool are_closed = core_.connections.wait_until_empty(kCloseWait);
  LIMNER_CHECK(are_closed, "a handler blocks an I/O thread");
  return false;
}

void Server::Impl::stop() {
  drain(std::chrono::milliseconds(0));
  for (auto& loop : loops_) {
    loop->guard.reset();
    if (loop->thread.joinable()) loop->thread.join();
  }
}

Server::Server(ServerOptions options, RouteTable routes, ErrorFormatter format_error,
               ServerObserver* observer)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(routes), std::move(format_error),
                                   observer)) {}
Server::~Server() {
  stop();
}

Result<void> Server::listen() {
  return impl_->listen();
}
std::uint16_t Server::port() const {
  return impl_->port();
}
void Server::start() {
  impl_->start();
}
bool Server::drain(std::chrono::milliseconds deadline) {
  return impl_->drain(deadline);
}
void Server::stop() {
  impl_->stop();
}

}  // namespace limner::http
