// The head of a request: what the parser accepts, and the stricter rules on top of it. No sockets.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/result.hpp"
#include "http/headers.hpp"

namespace limner::http {

struct HeadLimits {
  std::size_t head_bytes_max = 16u << 10;   // 431
  std::size_t fields_max = 100;             // 431
  std::size_t target_bytes_max = 8u << 10;  // 414
};

struct RequestHead {
  std::string method;
  std::string target;
  int version_minor = 1;
  Headers headers;
};

struct NoBody {};
struct SizedBody {
  std::uint64_t size;
};
struct ChunkedBody {};
using Framing = std::variant<NoBody, SizedBody, ChunkedBody>;

// How the body is delimited, or why the head is refused: anything that two parsers in a row could
// read in two ways (request smuggling), and what the standard forbids. `raw_head` is the head as it
// came, with its empty line.
Result<Framing> check_head(const RequestHead& head, std::string_view raw_head);

// Looks for the end of the head in the first bytes of a request, before any parsing.
// The size of the head with its empty line; 0 when more bytes are needed; an error as soon as the
// bytes cannot become a request.
Result<std::size_t> find_head_end(std::string_view bytes, const HeadLimits& limits);

// Parses one request: first the whole head, then its body in pieces of any size.
class RequestParser {
 public:
  explicit RequestParser(const HeadLimits& limits);
  RequestParser(RequestParser&&) noexcept;
  RequestParser& operator=(RequestParser&&) noexcept;
  ~RequestParser();

  // `raw_head` as measured by find_head_end. Parses and checks it.
  Result<Framing> parse_head(std::string_view raw_head);
  const RequestHead& head() const;

  // Takes the body. An error ends the parsing and is its error.
  class BodySink {
   public:
    virtual ~BodySink() = default;
    // That many bytes more are to come: the next chunk.
    virtual Result<void> announce(std::uint64_t size) = 0;
    virtual Result<void> put(std::string_view piece) = 0;
    // Of all that was put.
    virtual std::size_t size() const = 0;
  };
  // How many bytes were used. Unused bytes come again with more behind them, or belong to the next
  // request when the body is complete.
  Result<std::size_t> parse_body(std::string_view bytes, BodySink& sink);
  bool is_complete() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

// HTTP's statuses that ErrorKind has no word for, by the error's code: 414, 417, 431, 501, 505. For
// whoever turns the server's errors into answers.
std::optional<int> finer_status(const Error& error);

}  // namespace limner::http
