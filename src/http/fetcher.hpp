// Gets a file from an address that a client wrote. Off unless the operator names hosts; whatever an
// address says, only those hosts are asked, and only where they are on the public internet.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <sys/socket.h>

#include "base/result.hpp"

namespace limner::http {

struct FetchOptions {
  // "pictures.example", or "pictures.example:8443" for another port than the scheme's own.
  std::vector<std::string> hosts = {};
  std::size_t size_bytes_max = 50u << 20;
  std::chrono::milliseconds timeout{10'000};  // of it all
  int at_once_max = 1;                        // a caller waits on its thread: others must stay free
  // Tests ask a server of their own. Empty: is_public.
  std::function<bool(const sockaddr&)> is_allowed = {};
};

class Fetcher {
 public:
  explicit Fetcher(FetchOptions options);
  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  bool is_on() const { return !options_.hosts.empty(); }

  // The bytes of http:// and https:// addresses; any thread, which waits. No redirect, proxy,
  // cookie or credential. Errors: InvalidArgument with code "remote_image_not_allowed" or
  // "remote_image_failed", Unavailable when too many are fetched already. They never quote what
  // came.
  Result<std::vector<std::uint8_t>> fetch(const std::string& url) const;

 private:
  Result<std::vector<std::uint8_t>> fetch_checked(const std::string& url) const;

  const FetchOptions options_;
  mutable std::atomic<int> running_ = 0;
};

}  // namespace limner::http
