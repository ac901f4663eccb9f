// One client's connection: reads requests, runs handlers, sends answers, one after the other.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

namespace boost::asio {
class io_context;
}

namespace limner::http {

struct ServerCore;
class PeerSocket;

// What a connection may ask for: anything, or, when there are too many, one request that must be
// answered even then (Route::is_vital).
enum class Admission { Full, VitalOnly };

struct Peer {
  std::string host = {};
  std::uint16_t port = 0;
  std::string network = {};  // whom limits per address count it for; empty: this machine, nobody
  Admission admission = Admission::Full;
};

class Connection {
 public:
  virtual ~Connection() = default;
  // Any thread, all of them: what they ask for happens on the connection's own thread.
  virtual void start() = 0;
  // Ends now when idle, else after the answer in progress.
  virtual void drain() = 0;
  virtual void close() = 0;
};

// `core` and `context` outlive the connection, which removes itself from `core.connections` at its
// end.
std::shared_ptr<Connection> make_connection(ServerCore& core, boost::asio::io_context& context,
                                            std::unique_ptr<PeerSocket> socket, Peer peer);

}  // namespace limner::http
