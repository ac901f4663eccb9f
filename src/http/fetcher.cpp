#include "http/fetcher.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <mutex>

#include <arpa/inet.h>
#include <curl/curl.h>
#include <fmt/format.h>
#include <netdb.h>
#include <unistd.h>

#include "base/text.hpp"
#include "http/public_address.hpp"

namespace limner::http {
namespace {

using Bytes = std::vector<std::uint8_t>;

Error not_allowed(std::string message) {
  return invalid_value("", std::move(message), "remote_image_not_allowed");
}

Error failed(std::string message) {
  return invalid_value("", std::move(message), "remote_image_failed");
}

struct Address {
  std::string scheme;
  std::string host;  // lower case
  std::string port;
};

std::string part_of(CURLU* url, CURLUPart part, unsigned flags = 0) {
  char* text = nullptr;
  if (curl_url_get(url, part, &text, flags) != CURLUE_OK) return {};
  const std::unique_ptr<char, decltype(&curl_free)> owner(text, &curl_free);
  return text;
}

Result<Address> parse(const std::string& text) {
  const std::unique_ptr<CURLU, decltype(&curl_url_cleanup)> url(curl_url(), &curl_url_cleanup);
  const auto bad = not_allowed("an address of http:// or https:// and a host was expected");
  if (!url || curl_url_set(url.get(), CURLUPART_URL, text.c_str(), 0) != CURLUE_OK) return bad;
  if (!part_of(url.get(), CURLUPART_USER).empty() ||
      !part_of(url.get(), CURLUPART_PASSWORD).empty()) {
    return not_allowed("an address with a user name is not fetched");
  }
  Address address{.scheme = part_of(url.get(), CURLUPART_SCHEME),
                  .host = part_of(url.get(), CURLUPART_HOST),
                  .port = part_of(url.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT)};
  if ((address.scheme != "http" && address.scheme != "https") || address.host.empty()) return bad;
  address.host = ascii_lower(address.host);
  return address;
}

bool is_named(const Address& address, const std::vector<std::string>& hosts) {
  const bool is_own_port = address.port == (address.scheme == "https" ? "443" : "80");
  const auto with_port = address.host + ":" + address.port;
  return std::ranges::any_of(hosts, [&](const auto& host) {
    return host == with_port || (is_own_port && host == address.host);
  });
}

// "10.0.0.1" or "[::1]", as CURLOPT_RESOLVE takes it.
std::string text_of(const sockaddr& address) {
  char text[NI_MAXHOST] = {};
  const socklen_t size = address.sa_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  if (::getnameinfo(&address, size, text, sizeof text, nullptr, 0, NI_NUMERICHOST) != 0) return {};
  return address.sa_family == AF_INET6 ? fmt::format("[{}]", text) : text;
}

// All addresses of a host, if every one may be asked: a name that leads to one private address is
// not used with its public ones either.
Result<std::string> resolve(const Address& address,
                            const std::function<bool(const sockaddr&)>& is_allowed) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found) != 0) {
    return failed("the host of the address is not known");
  }
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owner(found, &::freeaddrinfo);
  std::string addresses;
  for (const auto* one = found; one != nullptr; one = one->ai_next) {
    if (!is_allowed(*one->ai_addr)) {
      return not_allowed("the host of the address is not on the public internet");
    }
    addresses += addresses.empty() ? "" : ",";
    addresses += text_of(*one->ai_addr);
  }
  return fmt::format("{}:{}:{}", address.host, address.port, addresses);
}

struct Download {
  Bytes bytes;
  std::size_t size_bytes_max = 0;
  bool is_too_large = false;
  const std::function<bool(const sockaddr&)>& is_allowed;
};

std::size_t take_bytes(char* data, std::size_t, std::size_t size, void* user) {
  auto& download = *static_cast<Download*>(user);
  if (download.bytes.size() + size > download.size_bytes_max) {
    download.is_too_large = true;
    return 0;
  }
  download.bytes.insert(download.bytes.end(), data, data + size);
  return size;
}

// The address really connected to is asked again: names can change between two look-ups.
curl_socket_t open_socket(void* user, curlsocktype, curl_sockaddr* peer) {
  const auto& download = *static_cast<const Download*>(user);
  if (!download.is_allowed(peer->addr)) return CURL_SOCKET_BAD;
  return ::socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

Result<Bytes> get(const std::string& url, const std::string& pinned, const FetchOptions& options,
                  const std::function<bool(const sockaddr&)>& is_allowed) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(),
                                                                 &curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> resolved(
      curl_slist_append(nullptr, pinned.c_str()), &curl_slist_free_all);
  if (!curl || !resolved) return failed("the address could not be fetched");
  Download download{
      .bytes = {}, .size_bytes_max = options.size_bytes_max, .is_allowed = is_allowed};
  auto* c = curl.get();
  curl_easy_setopt(c, CURLOPT_URL, url.c_str());
  curl_easy_setopt(c, CURLOPT_RESOLVE, resolved.get());
  curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, &open_socket);
  curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, &download);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &take_bytes);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, &download);
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_PROXY, "");  // none from the environment
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(c, CURLOPT_TIMEOUT_MS, static_cast<long>(options.timeout.count()));
  curl_easy_setopt(c, CURLOPT_USERAGENT, "limner");
  const auto outcome = curl_easy_perform(c);
  if (download.is_too_large) {
    return failed(
        fmt::format("the file at the address has more than {} bytes", options.size_bytes_max));
  }
  if (outcome == CURLE_OPERATION_TIMEDOUT) {
    return failed(
        fmt::format("the address did not answer within {} s", options.timeout.count() / 1000));
  }
  if (outcome != CURLE_OK) {
    auto error = failed("the address could not be fetched");
    error.detail = curl_easy_strerror(outcome);
    return error;
  }
  long status = 0;
  curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &status);
  if (status != 200) return failed(fmt::format("the address answered {}, not 200", status));
  return std::move(download.bytes);
}

class Counted {
 public:
  explicit Counted(std::atomic<int>& count) : count_(count), value_(++count) {}
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() { --count_; }
  int value() const { return value_; }

 private:
  std::atomic<int>& count_;
  const int value_;
};

}  // namespace

Fetcher::Fetcher(FetchOptions options) : options_(std::move(options)) {
  // curl wants it once, before any thread uses it.
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

Result<Bytes> Fetcher::fetch(const std::string& url) const {
  if (!is_on()) {
    return not_allowed("addresses are not fetched by this server; send a data URL or base64");
  }
  const Counted running(running_);
  if (running.value() > options_.at_once_max) {
    return Error{.kind = ErrorKind::Unavailable,
                 .message = "too many pictures are being fetched",
                 .retry_after = std::chrono::seconds{2}};
  }
  return fetch_checked(url);
}

Result<Bytes> Fetcher::fetch_checked(const std::string& url) const {
  auto address = parse(url);
  if (!address) return address.error();
  if (!is_named(*address, options_.hosts)) {
    return not_allowed("pictures are not fetched from this host; send a data URL or base64");
  }
  const std::function<bool(const sockaddr&)> is_allowed =
      options_.is_allowed ? options_.is_allowed
                          : [](const sockaddr& peer) { return is_public(peer); };
  const auto pinned = resolve(*address, is_allowed);
  if (!pinned) return pinned.error();
  return get(url, *pinned, options_, is_allowed);
}

}  // namespace limner::http
