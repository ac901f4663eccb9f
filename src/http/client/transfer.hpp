// One call as libcurl sees it: an easy handle, its body's position, its limits and deadlines.
#pragma once

#include <memory>
#include <optional>

#include <curl/curl.h>

#include "base/clock.hpp"
#include "http/client/client.hpp"

namespace limner::http {

struct CurlDeleter {
  void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using EasyHandle = std::unique_ptr<CURL, CurlDeleter>;

class Transfer {
 public:
  Transfer(Call call, std::shared_ptr<ReplySink> sink, TimePoint now);
  Transfer(const Transfer&) = delete;
  Transfer& operator=(const Transfer&) = delete;

  // Makes `handle` ready for this call; callbacks point to this object from then on.
  void prepare(EasyHandle handle, const ClientOptions& options);
  CURL* handle() const { return handle_.get(); }
  EasyHandle take_handle() { return std::move(handle_); }

  // When to ask late() again. What comes meanwhile moves deadlines, and the end of the head brings
  // them forward: so never further off than the idle time, or a second.
  TimePoint next_look(TimePoint now) const;
  // What is late now, for the log; empty when nothing is.
  std::optional<std::string> late(TimePoint now) const;

  // Tells the sink how it ended, once. `code` is libcurl's word when the transfer ran to its end.
  void finish(CURLcode code, TimePoint now);
  void finish(CallFailure failure, std::string detail, TimePoint now);

 private:
  static std::size_t read_body(char* to, std::size_t, std::size_t size, void* self);
  static int seek_body(void* self, curl_off_t offset, int origin);
  static std::size_t take_header(char* line, std::size_t, std::size_t size, void* self);
  static std::size_t take_bytes(char* bytes, std::size_t, std::size_t size, void* self);
  static curl_socket_t open_socket(void* self, curlsocktype, curl_sockaddr* peer);

  void set_request(const ClientOptions& options);
  void set_body();
  bool take_header_line(std::string_view line);
  bool take_piece(std::span<const std::uint8_t> piece);
  bool end_head();
  bool refuse(std::string why);
  bool has_begun_to_send() const;
  std::optional<CallFailure> failure_of(CURLcode code) const;
  void tell_end(std::optional<CallFailure> failure, std::string detail, TimePoint now);

  const Call call_;
  const std::shared_ptr<ReplySink> sink_;
  const TimePoint started_;
  const std::size_t body_size_;
  EasyHandle handle_;
  std::unique_ptr<curl_slist, CurlDeleter> header_lines_;

  std::size_t piece_ = 0;           // of the body, being sent
  std::size_t piece_position_ = 0;  // in that piece
  std::size_t body_sent_ = 0;

  ReplyHead head_;
  std::size_t head_bytes_ = 0;
  bool is_head_complete_ = false;
  std::size_t body_received_ = 0;
  TimePoint last_progress_;
  std::string refusal_;     // why we ended it ourselves
  bool is_enough_ = false;  // the sink wanted no more
};

}  // namespace limner::http
