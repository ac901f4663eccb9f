// A connected TCP socket that never waits: it gathers what comes in and takes what goes out, and
// tells its owner when something changed. Used by one I/O thread.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string_view>

#include "http/output_queue.hpp"

namespace boost::asio {
class io_context;
}

namespace limner::http {

class PeerSocket {
 public:
  // Takes over `fd`. `notify` runs on the context's thread, until close().
  PeerSocket(boost::asio::io_context& context, int fd, std::function<void()> notify);
  PeerSocket(const PeerSocket&) = delete;
  PeerSocket& operator=(const PeerSocket&) = delete;
  ~PeerSocket();

  // Bytes received and not consumed. Reading pauses while there are `unread_bytes_max` of them.
  std::string_view input() const;
  void consume(std::size_t size_bytes);
  void read_up_to(std::size_t unread_bytes_max);
  // The peer sends nothing more (it closed, or shut its side down).
  bool has_ended() const;
  // The connection is gone: reset, timed out, or closed by us.
  bool is_broken() const;

  // Sends what the socket takes now. When bytes are left, `notify` runs once it takes more.
  void write(OutputQueue& output);

  void shutdown_write();
  // Closes so that the peer sees an error instead of an end.
  void reset();
  void close();

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;  // shared with the waits in flight
};

}  // namespace limner::http
