#include "http/client/transfer.hpp"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>
#include <unistd.h>

namespace limner::http {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr long kBufferBytes = 16L << 10;

std::size_t size_of(const std::vector<SharedBytes>& body) {
  std::size_t size = 0;
  for (const auto& piece : body) size += piece.bytes.size();
  return size;
}

milliseconds milliseconds_of(CURL* handle, CURLINFO info) {
  curl_off_t microseconds = 0;
  curl_easy_getinfo(handle, info, &microseconds);
  return milliseconds(microseconds / 1000);
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

}  // namespace

Transfer::Transfer(Call call, std::shared_ptr<ReplySink> sink, TimePoint now)
    : call_(std::move(call)),
      sink_(std::move(sink)),
      started_(now),
      body_size_(size_of(call_.body)),
      last_progress_(now) {}

void Transfer::prepare(EasyHandle handle, const ClientOptions& options) {
  handle_ = std::move(handle);
  auto* c = handle_.get();
  curl_easy_setopt(c, CURLOPT_PRIVATE, this);
  curl_easy_setopt(c, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
  curl_easy_setopt(c, CURLOPT_HEADERDATA, this);
  curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, &Transfer::take_bytes);
  curl_easy_setopt(c, CURLOPT_WRITEDATA, this);
  // Both are held while a call waits, and many wait.
  curl_easy_setopt(c, CURLOPT_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(c, CURLOPT_UPLOAD_BUFFERSIZE, kBufferBytes);
  curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT_MS,
                   static_cast<long>(call_.deadlines.connect.count()));
  if (call_.may_connect) {
    curl_easy_setopt(c, CURLOPT_OPENSOCKETFUNCTION, &Transfer::open_socket);
    curl_easy_setopt(c, CURLOPT_OPENSOCKETDATA, this);
  }
  set_request(options);
  set_body();
}

void Transfer::set_request(const ClientOptions& options) {
  auto* c = handle_.get();
  curl_easy_setopt(c, CURLOPT_URL, call_.url.c_str());
  curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(c, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
  curl_easy_setopt(c, CURLOPT_PROXY, "");  // none from the environment
  curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
  // Or a name server that does not answer holds up every other call when this one is given up.
  curl_easy_setopt(c, CURLOPT_QUICK_EXIT, 1L);
  curl_easy_setopt(c, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(c, CURLOPT_MAXAGE_CONN, static_cast<long>(options.kept_for.count()));
  curl_easy_setopt(c, CURLOPT_USERAGENT, options.user_agent.c_str());
  if (!options.ca_file.empty()) curl_easy_setopt(c, CURLOPT_CAINFO, options.ca_file.c_str());

  curl_slist* lines = nullptr;
  const auto add = [&](const std::string& line) {
    if (auto* longer = curl_slist_append(lines, line.c_str())) lines = longer;
  };
  add("Accept-Encoding: identity");  // pictures do not shrink, and nothing is to be inflated
  add("Expect:");                    // a 100-continue that never comes is not waited for
  // libcurl leaves a field with nothing behind its colon out; ";" is its word for an empty one.
  for (const auto& [name, value] : call_.headers) {
    add(value.empty() ? name + ";" : fmt::format("{}: {}", name, value));
  }
  header_lines_.reset(lines);
  curl_easy_setopt(c, CURLOPT_HTTPHEADER, lines);
}

void Transfer::set_body() {
  auto* c = handle_.get();
  const auto& method = call_.method;
  if (method == "HEAD") {
    curl_easy_setopt(c, CURLOPT_NOBODY, 1L);
  } else if (body_size_ > 0 || method == "POST") {
    curl_easy_setopt(c, CURLOPT_POST, 1L);
    curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(body_size_));
    curl_easy_setopt(c, CURLOPT_READFUNCTION, &Transfer::read_body);
    curl_easy_setopt(c, CURLOPT_READDATA, this);
    curl_easy_setopt(c, CURLOPT_SEEKFUNCTION, &Transfer::seek_body);
    curl_easy_setopt(c, CURLOPT_SEEKDATA, this);
    // libcurl would call it a form, and we know better or do not know at all.
    if (!call_.headers.has("content-type")) {
      if (auto* longer = curl_slist_append(header_lines_.get(), "Content-Type:")) {
        [[maybe_unused]] auto* same = header_lines_.release();
        header_lines_.reset(longer);
        curl_easy_setopt(c, CURLOPT_HTTPHEADER, longer);
      }
    }
  }
  if (method != "GET" && method != "POST" && method != "HEAD") {
    curl_easy_setopt(c, CURLOPT_CUSTOMREQUEST, method.c_str());
  }
}

std::size_t Transfer::read_body(char* to, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  std::size_t written = 0;
  while (written < size && transfer.piece_ < transfer.call_.body.size()) {
    const auto rest =
        transfer.call_.body[transfer.piece_].bytes.subspan(transfer.piece_position_);
    const auto count = std::min(size - written, rest.size());
    if (count > 0) std::memcpy(to + written, rest.data(), count);
    written += count;
    transfer.piece_position_ += count;
    if (count == rest.size()) {
      ++transfer.piece_;
      transfer.piece_position_ = 0;
    }
  }
  transfer.body_sent_ += written;
  return written;
}

// libcurl goes back to the start when a kept connection turns out to be closed.
int Transfer::seek_body(void* self, curl_off_t offset, int origin) {
  if (origin != SEEK_SET || offset != 0) return CURL_SEEKFUNC_CANTSEEK;
  auto& transfer = *static_cast<Transfer*>(self);
  transfer.piece_ = 0;
  transfer.piece_position_ = 0;
  transfer.body_sent_ = 0;
  return CURL_SEEKFUNC_OK;
}

curl_socket_t Transfer::open_socket(void* self, curlsocktype, curl_sockaddr* peer) {
  const auto& transfer = *static_cast<const Transfer*>(self);
  if (!transfer.call_.may_connect(peer->addr)) return CURL_SOCKET_BAD;
  return ::socket(peer->family, peer->socktype | SOCK_CLOEXEC, peer->protocol);
}

// Nothing may be thrown through libcurl's frames.
std::size_t Transfer::take_header(char* line, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    return transfer.take_header_line({line, size}) ? size : 0;
  } catch (const std::exception& e) {
    transfer.refuse(e.what());
    return 0;
  }
}

// Also called for the heads of interim replies (1xx) and for trailers.
bool Transfer::take_header_line(std::string_view line) {
  if (is_head_complete_) return true;
  head_bytes_ += line.size();
  if (head_bytes_ > call_.limits.head_bytes_max) {
    return refuse(fmt::format("a head of more than {} bytes", call_.limits.head_bytes_max));
  }
  while (!line.empty() && (line.back() == '\n' || line.back() == '\r')) line.remove_suffix(1);
  if (line.starts_with("HTTP/")) {
    head_.headers = {};
    return true;
  }
  if (line.empty()) return end_head();
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || colon == 0) return refuse("a field without a name");
  head_.headers.add(std::string(line.substr(0, colon)),
                    std::string(trimmed(line.substr(colon + 1))));
  if (head_.headers.size() > call_.limits.head_fields_max) {
    return refuse(fmt::format("more than {} fields", call_.limits.head_fields_max));
  }
  return true;
}

bool Transfer::end_head() {
  long status = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status >= 100 && status < 200) return true;
  if (head_.headers.has("content-length") && head_.headers.has("transfer-encoding")) {
    return refuse("both Content-Length and Transfer-Encoding");
  }
  head_.status = static_cast<int>(status);
  is_head_complete_ = true;
  last_progress_ = std::chrono::steady_clock::now();
  sink_->on_head(head_);
  return true;
}

std::size_t Transfer::take_bytes(char* bytes, std::size_t, std::size_t size, void* self) {
  auto& transfer = *static_cast<Transfer*>(self);
  try {
    const std::span piece(reinterpret_cast<const std::uint8_t*>(bytes), size);
    return transfer.take_piece(piece) ? size : 0;
  } catch (const std::exception& e) {
    transfer.refuse(e.what());
    return 0;
  }
}

bool Transfer::take_piece(std::span<const std::uint8_t> piece) {
  body_received_ += piece.size();
  if (body_received_ > call_.limits.body_bytes_max) {
    return refuse(fmt::format("a body of more than {} bytes", call_.limits.body_bytes_max));
  }
  last_progress_ = std::chrono::steady_clock::now();
  is_enough_ = !sink_->on_bytes(piece);
  return !is_enough_;
}

bool Transfer::refuse(std::string why) {
  refusal_ = std::move(why);
  return false;
}

TimePoint Transfer::next_look(TimePoint now) const {
  const auto due = std::min(started_ + call_.deadlines.total,
                            is_head_complete_ ? last_progress_ + call_.deadlines.idle
                                              : started_ + call_.deadlines.first_byte);
  return std::min(due, now + std::min<milliseconds>(call_.deadlines.idle, 1'000ms));
}

std::optional<std::string> Transfer::late(TimePoint now) const {
  if (now >= started_ + call_.deadlines.total) {
    return fmt::format("not complete after {} ms", call_.deadlines.total.count());
  }
  if (!is_head_complete_ && now >= started_ + call_.deadlines.first_byte) {
    return fmt::format("no reply after {} ms", call_.deadlines.first_byte.count());
  }
  if (is_head_complete_ && now >= last_progress_ + call_.deadlines.idle) {
    return fmt::format("nothing came for {} ms", call_.deadlines.idle.count());
  }
  return std::nullopt;
}

bool Transfer::has_begun_to_send() const {
  long head_bytes = 0;
  curl_easy_getinfo(handle_.get(), CURLINFO_REQUEST_SIZE, &head_bytes);
  return head_bytes > 0;
}

std::optional<CallFailure> Transfer::failure_of(CURLcode code) const {
  if (is_enough_) return CallFailure::Cancelled;
  if (!refusal_.empty()) return CallFailure::Broken;
  switch (code) {
    case CURLE_OK:
      // Without a head it was no HTTP that we speak.
      return is_head_complete_ ? std::nullopt : std::optional(CallFailure::Broken);
    case CURLE_OPERATION_TIMEDOUT:  // only the connect timeout is libcurl's
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CERTPROBLEM:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_ISSUER_ERROR:
    case CURLE_UNSUPPORTED_PROTOCOL:  // of the address, or of what answered
    case CURLE_URL_MALFORMAT:
      return has_begun_to_send() ? CallFailure::Broken : CallFailure::Unreachable;
    default:
      return CallFailure::Broken;
  }
}

void Transfer::finish(CURLcode code, TimePoint now) {
  const auto failure = failure_of(code);
  std::string detail;
  if (failure) detail = refusal_.empty() ? curl_easy_strerror(code) : refusal_;
  tell_end(failure, std::move(detail), now);
}

void Transfer::finish(CallFailure failure, std::string detail, TimePoint now) {
  tell_end(failure, std::move(detail), now);
}

void Transfer::tell_end(std::optional<CallFailure> failure, std::string detail, TimePoint now) {
  CallEnd end{.failure = failure, .detail = std::move(detail)};
  end.total = std::chrono::duration_cast<milliseconds>(now - started_);
  if (auto* c = handle_.get()) {
    end.connected_after = milliseconds_of(c, CURLINFO_APPCONNECT_TIME_T);
    if (end.connected_after.count() == 0) {
      end.connected_after = milliseconds_of(c, CURLINFO_CONNECT_TIME_T);
    }
    end.first_byte_after = milliseconds_of(c, CURLINFO_STARTTRANSFER_TIME_T);
    long new_connections = 0;
    curl_easy_getinfo(c, CURLINFO_NUM_CONNECTS, &new_connections);
    end.used_kept_connection = new_connections == 0 && has_begun_to_send();
    end.was_sent = has_begun_to_send() && body_sent_ == body_size_;
  }
  sink_->on_end(end);
}

}  // namespace limner::http
