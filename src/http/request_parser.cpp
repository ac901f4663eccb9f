// Boost.Beast reads the grammar of heads and chunks; what it lets through is check_head's work.
#include <functional>
#include <limits>
#include <optional>
#include <utility>

#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/http/parser.hpp>
#include <fmt/format.h>

#include "http/request_head.hpp"

namespace limner::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

Error bad_head(std::string message, std::string_view code = "invalid_request_head") {
  return {
      .kind = ErrorKind::InvalidArgument, .message = std::move(message), .code = std::string(code)};
}

Error bad_chunks(std::string message) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = "chunked body: " + std::move(message),
          .code = "invalid_chunked_body"};
}

Error head_error(const error_code& ec) {
  using beast_http::error;
  if (ec == error::bad_version) {
    return bad_head("only HTTP/1.1 and HTTP/1.0 are spoken here", "http_version_not_supported");
  }
  if (ec == error::header_limit) {
    return bad_head("request head: too large", "request_head_too_large");
  }
  if (ec == error::bad_content_length || ec == error::multiple_content_length) {
    return bad_head("Content-Length: expected one decimal number, and no Transfer-Encoding");
  }
  if (ec == error::bad_transfer_encoding) {
    return bad_head("Transfer-Encoding: expected it once, and no Content-Length");
  }
  return bad_head(fmt::format("request head: malformed ({})", ec.message()));
}

// Where a piece of the body goes while put() runs.
struct Target {
  RequestParser::BodySink* sink = nullptr;
  std::optional<Error> failure;
};

// Beast's Body concept over a sink: nothing is kept.
struct SinkBody {
  using value_type = Target;
  class reader {
   public:
    template <bool is_request, class Fields>
    reader(beast_http::header<is_request, Fields>&, value_type& target) : target_(target) {}
    void init(const boost::optional<std::uint64_t>&, error_code& ec) { ec = {}; }
    template <class Buffers>
    std::size_t put(const Buffers& buffers, error_code& ec) {
      ec = {};
      std::size_t size = 0;
      for (const auto buffer : boost::beast::buffers_range_ref(buffers)) {
        const auto piece = std::string_view(static_cast<const char*>(buffer.data()), buffer.size());
        auto taken = target_.sink->put(piece);
        if (!taken) {
          target_.failure = taken.error();
          ec = boost::system::errc::make_error_code(boost::system::errc::operation_canceled);
          return size;
        }
        size += piece.size();
      }
      return size;
    }
    void finish(error_code& ec) { ec = {}; }

   private:
    value_type& target_;
  };
};

}  // namespace

class RequestParser::Impl {
 public:
  explicit Impl(const HeadLimits& limits) : limits_(limits) {
    // Sizes are ours to judge: the head by find_head_end, the body by its sink.
    parser_.header_limit(std::numeric_limits<std::uint32_t>::max());
    parser_.body_limit(boost::none);
    parser_.eager(true);
    parser_.on_chunk_header(on_chunk_);
  }

  Result<Framing> parse_head(std::string_view raw_head);
  Result<std::size_t> parse_body(std::string_view bytes, BodySink& sink);
  const RequestHead& head() const { return head_; }
  bool is_complete() const { return is_empty_ || parser_.is_done(); }

 private:
  Result<void> check_overhead() const;
  void judge_chunk(std::uint64_t size, error_code& ec);

  HeadLimits limits_;
  beast_http::request_parser<SinkBody> parser_;
  // Beast keeps a reference.
  std::function<void(std::uint64_t, boost::beast::string_view, error_code&)> on_chunk_ =
      [this](std::uint64_t size, boost::beast::string_view, error_code& ec) {
        judge_chunk(size, ec);
      };
  RequestHead head_;
  bool is_empty_ = false;
  std::size_t wire_size_ = 0;
  std::size_t body_size_ = 0;
};

Result<Framing> RequestParser::Impl::parse_head(std::string_view raw_head) {
  error_code ec;
  parser_.put(boost::asio::buffer(raw_head.data(), raw_head.size()), ec);
  if (ec && !(ec == beast_http::error::need_more && parser_.is_header_done())) {
    return head_error(ec);
  }
  const auto& message = parser_.get();
  head_.method = std::string(message.method_string());
  head_.target = std::string(message.target());
  head_.version_minor = static_cast<int>(message.version() % 10);
  std::size_t field_count = 0;
  for (const auto& field : message) {
    ++field_count;
    // Dropped, as nginx and Caddy do: who turns '-' into '_' would take one name for the other.
    if (field.name_string().find('_') != field.name_string().npos) continue;
    head_.headers.add(std::string(field.name_string()), std::string(field.value()));
  }
  if (field_count > limits_.fields_max) {
    return bad_head(fmt::format("request head: more than {} fields", limits_.fields_max),
                    "request_head_too_large");
  }
  auto framing = check_head(head_, raw_head);
  if (framing) is_empty_ = std::holds_alternative<NoBody>(*framing);
  return framing;
}

Result<std::size_t> RequestParser::Impl::parse_body(std::string_view bytes, BodySink& sink) {
  // Beast has no limit of its own for the line before a chunk, nor for the trailer.
  constexpr std::size_t kUnparsedBytesMax = 16u << 10;
  if (is_complete() || bytes.empty()) return std::size_t{0};
  auto& target = parser_.get().body();
  target.sink = &sink;
  const std::size_t size_before = sink.size();
  error_code ec;
  const std::size_t used = parser_.put(boost::asio::buffer(bytes.data(), bytes.size()), ec);
  target.sink = nullptr;
  if (target.failure) return *target.failure;
  if (ec && ec != beast_http::error::need_more) {
    return bad_chunks(fmt::format("malformed ({})", ec.message()));
  }
  wire_size_ += used;
  body_size_ += sink.size() - size_before;
  if (!parser_.is_done() && bytes.size() - used > kUnparsedBytesMax) {
    return bad_chunks("a chunk's head or the trailer is too long");
  }
  if (auto overhead = check_overhead(); !overhead) return overhead.error();
  return used;
}

// A chunk that is too large is refused when it is announced, not when that much has come.
void RequestParser::Impl::judge_chunk(std::uint64_t size, error_code& ec) {
  auto& target = parser_.get().body();
  const auto accepted = target.sink->announce(size);
  if (accepted) return;
  target.failure = accepted.error();
  ec = boost::system::errc::make_error_code(boost::system::errc::operation_canceled);
}

// Tiny chunks, long extensions: the sender makes us work for nothing.
Result<void> RequestParser::Impl::check_overhead() const {
  constexpr std::size_t kOverheadBytesMax = 100'000;
  const std::size_t overhead = wire_size_ - body_size_;
  if (overhead <= kOverheadBytesMax || overhead * 10 <= wire_size_ * 8) return {};
  return bad_chunks("more than 80 % of it is overhead, use larger chunks");
}

RequestParser::RequestParser(const HeadLimits& limits) : impl_(std::make_unique<Impl>(limits)) {}
RequestParser::RequestParser(RequestParser&&) noexcept = default;
RequestParser& RequestParser::operator=(RequestParser&&) noexcept = default;
RequestParser::~RequestParser() = default;

Result<Framing> RequestParser::parse_head(std::string_view raw_head) {
  return impl_->parse_head(raw_head);
}
const RequestHead& RequestParser::head() const {
  return impl_->head();
}
Result<std::size_t> RequestParser::parse_body(std::string_view bytes, BodySink& sink) {
  return impl_->parse_body(bytes, sink);
}
bool RequestParser::is_complete() const {
  return impl_->is_complete();
}

}  // namespace limner::http
