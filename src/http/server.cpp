#include "http/server.hpp"

#include <atomic>
#include <cerrno>
#include <cstring>
#include <exception>
#include <filesystem>
#include <future>
#include <system_error>
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

#include "base/check.hpp"
#include "base/descriptor.hpp"
#include "base/log.hpp"
#include "base/log_throttle.hpp"
#include "http/client_address.hpp"
#include "http/connection.hpp"
#include "http/peer_socket.hpp"
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
  void run(Loop& loop);
  void wait_for_clients();
  void accept_waiting();
  bool accept_one();
  void serve(Descriptor fd, Peer peer);
  void pause_accepting();
  void refuse(int fd, const Peer& peer);
  void stop_accepting();

  ServerCore core_;
  std::vector<std::unique_ptr<Loop>> loops_;
  tcp::acceptor acceptor_;
  asio::steady_timer pause_;
  std::uint16_t port_ = 0;
  std::size_t accepted_count_ = 0;
  bool waits_for_clients_ = false;
  LogThrottle accept_failures_{std::chrono::seconds(10)};
  bool is_started_ = false;
};

Server::Impl::Impl(ServerOptions options, RouteTable routes, ErrorFormatter format_error,
                   ServerObserver* observer)
    : core_{.options = std::move(options),
            .routes = std::move(routes),
            .format_error = std::move(format_error),
            .observer = observer ? *observer : silent_observer(),
            .body_budget = BodyBudget(core_.options.bodies),
            .answer_budget = {},
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
  const std::size_t answers_max = core_.options.answer_memory_bytes_max;
  core_.answer_budget = std::make_shared<ByteBudget>(answers_max, answers_max / 2);
  if (core_.options.spill_folder.empty()) {
    // Without one the server still paints: only a large upload is refused, with the reason.
    std::error_code ec;
    const auto folder = std::filesystem::temp_directory_path(ec);
    core_.options.spill_folder = ec ? std::filesystem::path("/tmp") : folder;
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
  for (auto& loop : loops_) {
    loop->thread = std::thread([this, &here = *loop] { run(here); });
  }
}

// What a task throws (out of memory) costs that task, not the process.
void Server::Impl::run(Loop& loop) {
  for (;;) {
    try {
      if (&loop == loops_[0].get() && !waits_for_clients_) wait_for_clients();
      loop.context.run();
      return;
    } catch (const std::exception& e) {
      log::error("http: a task of an I/O thread failed: {}", e.what());
    }
  }
}

void Server::Impl::wait_for_clients() {
  if (!acceptor_.is_open()) return;
  acceptor_.async_wait(tcp::acceptor::wait_read, [this](const error_code& ec) {
    waits_for_clients_ = false;
    if (!ec) accept_waiting();
  });
  waits_for_clients_ = true;
}

void Server::Impl::accept_waiting() {
  constexpr int kBurst = 64;  // then others on this loop get their turn
  for (int i = 0; i < kBurst; ++i) {
    if (!core_.connections.has_room(core_.options)) return pause_accepting();
    if (accept_one()) continue;
    const bool is_drained = errno == EAGAIN || errno == EWOULDBLOCK;
    const bool is_client_fault = errno == ECONNABORTED || errno == EINTR || errno == EPROTO;
    if (is_drained) break;
    if (is_client_fault) continue;
    const int cause = errno;
    if (const auto left_out = accept_failures_.pass(std::chrono::steady_clock::now())) {
      log::error("http: cannot accept a connection: {} ({} such lines left out)",
                 std::strerror(cause), *left_out);
    }
    return pause_accepting();
  }
  wait_for_clients();
}

// False with errno when there was none.
bool Server::Impl::accept_one() {
  tcp::endpoint remote;
  auto size = static_cast<socklen_t>(remote.capacity());
  Descriptor fd(
      ::accept4(acceptor_.native_handle(), remote.data(), &size, SOCK_CLOEXEC | SOCK_NONBLOCK));
  if (fd.get() < 0) return false;
  remote.resize(size);
  Peer peer{.host = remote.address().to_string(), .port = remote.port()};
  peer.network = network_of(peer.host);
  if (const auto admission = core_.connections.admit(peer.network, core_.options)) {
    peer.admission = *admission;
    serve(std::move(fd), std::move(peer));
  } else {
    refuse(fd.get(), peer);
  }
  return true;
}

void Server::Impl::serve(Descriptor fd, Peer peer) {
  auto& loop = *loops_[accepted_count_++ % loops_.size()];
  const auto connection =
      make_connection(core_, loop.context, open_tcp_socket(loop.context, std::move(fd)), peer);
  core_.connections.add(connection, peer);
  try {
    connection->start();
  } catch (...) {
    core_.connections.remove(connection.get());
    throw;
  }
}

// Out of connections or descriptors: clients wait in the kernel's queue until some are free again.
void Server::Impl::pause_accepting() {
  constexpr std::chrono::milliseconds kPause{50};
  pause_.expires_after(kPause);
  pause_.async_wait([this](const error_code& ec) {
    waits_for_clients_ = false;
    if (!ec) wait_for_clients();
  });
  waits_for_clients_ = true;
}

void Server::Impl::refuse(int fd, const Peer& peer) {
  core_.observer.connection_refused();
  Request nobody;
  nobody.remote_address = peer.host;
  nobody.remote_port = peer.port;
  const auto response = core_.format_error(too_many_connections(), nobody);
  auto bytes = encode_head(response, {.keeps_alive = false, .now = std::time(nullptr)});
  bytes += response.body_text();
  // Best effort: whoever opens that many connections may not be reading.
  if (::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    log::debug("http: a refused connection did not take its answer");
  }
}

void Server::Impl::stop_accepting() {
  // Who is already in the kernel's queue is still served: closing would reset them.
  try {
    while (acceptor_.is_open() && core_.connections.has_room(core_.options) && accept_one()) {
    }
  } catch (const std::exception& e) {
    log::error("http: the last clients were not accepted: {}", e.what());
  }
  error_code ignored;
  acceptor_.close(ignored);
  pause_.cancel();
}

bool Server::Impl::drain(std::chrono::milliseconds deadline) {
  constexpr std::chrono::seconds kCloseWait{5};
  core_.is_draining = true;
  if (!is_started_) {
    error_code ignored;
    acceptor_.close(ignored);
    return true;
  }
  const auto stopped = std::make_shared<std::promise<void>>();
  asio::post(loops_[0]->context, [this, stopped] {
    stop_accepting();
    stopped->set_value();
  });
  auto is_stopped = stopped->get_future();
  if (is_stopped.wait_for(deadline + kCloseWait) != std::future_status::ready) {
    log::error("http: an I/O thread is blocked, nothing can be drained");
    return false;
  }
  for (const auto& connection : core_.connections.all()) connection->drain();
  if (core_.connections.wait_until_empty(deadline)) return true;
  for (const auto& connection : core_.connections.all()) connection->close();
  if (!core_.connections.wait_until_empty(kCloseWait)) {
    log::error("http: {} connections did not end: a handler blocks an I/O thread",
               core_.connections.size());
  }
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
