// One request to another server and what comes of it, as plain values.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "http/headers.hpp"

namespace limner::http {

// Bytes that `owner` keeps alive and nobody changes: an upload where it lies, a piece of JSON.
struct SharedBytes {
  std::shared_ptr<const void> owner;
  std::span<const std::uint8_t> bytes;
};

SharedBytes shared_bytes(std::string text);

// Each ends the call with Late, but `connect`, which ends it with Unreachable: nothing was sent.
struct Deadlines {
  std::chrono::milliseconds connect{5'000};       // name, TCP and TLS
  std::chrono::milliseconds first_byte{600'000};  // from the start to the end of the reply's head
  std::chrono::milliseconds idle{120'000};        // between two pieces of the reply's body
  std::chrono::milliseconds total{900'000};
};

// Beyond any of them the reply is Broken.
struct ReplyLimits {
  std::size_t head_bytes_max = 32u << 10;
  std::size_t head_fields_max = 200;
  std::size_t body_bytes_max = 100u << 20;
};

struct Call {
  std::string method = "GET";
  std::string url;  // http or https
  // Sent as they are, besides Host, Content-Length, User-Agent and Accept-Encoding: identity.
  Headers headers;
  // Sent in order under one Content-Length, and again from the start on another connection.
  std::vector<SharedBytes> body;
  Deadlines deadlines;
  ReplyLimits limits;
  // Asked of each address before it is connected to; empty: any.
  std::function<bool(const sockaddr&)> may_connect = {};
};

struct ReplyHead {
  int status = 0;
  Headers headers;
};

enum class CallFailure {
  Unreachable,  // name, connection or TLS: nothing was sent
  Late,         // a deadline passed
  Broken,       // cut off, beyond a limit, or not HTTP
  Cancelled,
};

std::string_view to_string(CallFailure failure);

struct CallEnd {
  std::optional<CallFailure> failure;  // empty: the reply is complete
  std::string detail;                  // for the log only
  // The last byte of the request was handed to the network: it may have been acted on.
  bool was_sent = false;
  bool used_kept_connection = false;
  std::chrono::milliseconds connected_after{0};   // name, TCP and TLS
  std::chrono::milliseconds first_byte_after{0};  // 0 when none came
  std::chrono::milliseconds total{0};
};

// Takes one reply, on the client's thread: it must not block. After on_end nothing follows.
class ReplySink {
 public:
  virtual ~ReplySink() = default;
  virtual void on_head(const ReplyHead& head) = 0;
  // False: enough was read, the call ends with Cancelled.
  virtual bool on_bytes(std::span<const std::uint8_t> bytes) = 0;
  virtual void on_end(const CallEnd& end) = 0;
};

}  // namespace limner::http
