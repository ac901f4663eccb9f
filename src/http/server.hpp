// The HTTP/1.1 server: bytes in, handlers called, answers out, every wait bounded.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.hpp"
#include "base/result.hpp"
#include "http/body_budget.hpp"
#include "http/cors.hpp"
#include "http/exchange.hpp"
#include "http/request_head.hpp"
#include "http/route_table.hpp"

namespace limner::http {

// http knows no dialect: this turns its errors into answers. `head` may be partly filled when the
// request could not be read. HTTP has finer statuses than ErrorKind for some: finer_status()
// (request_head.hpp) names them. Must not block.
using ErrorFormatter = std::function<Response(const Error& error, const Request& head)>;

struct Timeouts {
  std::chrono::milliseconds head{10'000};            // first byte to end of head: 408
  std::chrono::milliseconds keep_alive{75'000};      // idle between requests
  std::chrono::milliseconds body_grace{20'000};      // before the rate below is asked for
  std::size_t body_bytes_per_second_min = 1u << 10;  // slower on average: 408
  std::chrono::milliseconds body{600'000};           // first to last byte of a body: 408
  std::chrono::milliseconds stall{60'000};           // the client takes no byte: closed
  std::chrono::milliseconds linger{2'000};           // after an early answer, for its reader
};

struct ServerOptions {
  std::string host = "127.0.0.1";
  std::uint16_t port = 8080;  // 0: any free one
  int io_threads = 1;
  HeadLimits head = {};
  Timeouts timeouts = {};
  // Beyond these only what is vital (Route::is_vital) is answered, the rest is 503. The limit for
  // an address, an IPv6 network of /64, is not one for this machine: a proxy may run here.
  std::size_t connections_max = 16'384;
  std::size_t connections_per_address_max = 1'024;
  std::size_t stream_buffer_bytes_max = 4u << 20;              // droppable pieces of one stream
  std::size_t unread_body_bytes_max = 64u << 10;               // drained after an early answer
  BodyLimits bodies = {};                                      // of the whole server
  std::size_t answer_memory_bytes_max = std::size_t{1} << 30;  // that wait for readers: 503
  std::filesystem::path spill_folder = {};  // empty: the system's temporary folder
  CorsOptions cors = {};                    // web pages that may call
};

struct RequestSummary {
  std::string_view method;
  std::string_view route;  // the pattern, or empty
  int status = 0;          // 499 when the client left before an answer; 0 never
  bool was_aborted = false;
  std::size_t body_bytes_in = 0;
  std::size_t bytes_out = 0;
  std::chrono::nanoseconds duration{0};  // first byte of the head to last byte of the answer
};

// Told what happens, on I/O threads; must not block.
class ServerObserver {
 public:
  virtual ~ServerObserver() = default;
  virtual void connection_opened() {}
  virtual void connection_closed() {}
  virtual void connection_refused() {}
  virtual void request_started() {}
  // An answer is streamed, from its head to its end however it ends.
  virtual void stream_opened() {}
  virtual void stream_closed() {}
  virtual void request_finished(const RequestSummary&) {}
};

class Server {
 public:
  // `observer` may be null and outlives the server otherwise.
  Server(ServerOptions options, RouteTable routes, ErrorFormatter format_error,
         ServerObserver* observer = nullptr);
  ~Server();
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Binds the address. A port in use is an error that names it and says what to do.
  Result<void> listen();
  std::uint16_t port() const;  // the real one, after listen()

  // Starts the I/O threads and returns.
  void start();
  // Stops accepting, closes idle connections, waits for exchanges in flight until `deadline` has
  // passed, then closes what is left; that takes a few seconds at most. True when nothing had to be
  // cut. Not from an I/O thread.
  bool drain(std::chrono::milliseconds deadline);
  // drain(0), and the I/O threads end: waits for handlers that run.
  void stop();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limner::http
