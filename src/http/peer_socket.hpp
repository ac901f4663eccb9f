// A connected peer that never makes anybody wait: it gathers what comes in and takes what goes out,
// and tells its owner when something changed. Used by one I/O thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "base/descriptor.hpp"
#include "http/output_queue.hpp"

namespace boost::asio {
class io_context;
}

namespace limner::http {

// An interface, so that a connection can be tested without a network.
class PeerSocket {
 public:
  virtual ~PeerSocket() = default;

  // `notify` runs on the I/O thread when something changed, until close(). Called once, first.
  virtual void start(std::function<void()> notify) = 0;

  // Bytes received and not consumed. Reading pauses while there are `unread_bytes_max` of them.
  virtual std::string_view input() const = 0;
  virtual void consume(std::size_t size_bytes) = 0;
  virtual void read_up_to(std::size_t unread_bytes_max) = 0;
  // The peer sends nothing more. It may still read: only its answer to bytes of ours tells one that
  // shut down its sending side from one that closed.
  virtual bool has_ended() const = 0;
  // The connection is gone: reset, timed out, or closed by us.
  virtual bool is_broken() const = 0;

  // Sends what the peer takes now. When bytes are left, `notify` runs once it takes more.
  virtual void write(OutputQueue& output) = 0;

  virtual void shutdown_write() = 0;
  // Closes so that the peer sees an error instead of an end.
  virtual void reset() = 0;
  virtual void close() = 0;
};

std::unique_ptr<PeerSocket> open_tcp_socket(boost::asio::io_context& context, Descriptor fd);

}  // namespace limner::http
