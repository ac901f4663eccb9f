#include <algorithm>
#include <array>
#include <cerrno>
#include <exception>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <sys/sendfile.h>

#include "base/log.hpp"
#include "http/peer_socket.hpp"

namespace limner::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

bool would_block(const error_code& ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again ||
         ec == asio::error::interrupted;
}

// What the socket takes of a file now, without a copy in this process.
std::size_t send_file(int socket, const SharedContent& file, error_code& ec) {
  constexpr std::size_t kPieceBytes = 1u << 20;  // then others on this thread get their turn
  auto offset = static_cast<off_t>(file.file_offset());
  const auto sent = ::sendfile(socket, file.file(), &offset, std::min(file.size(), kPieceBytes));
  if (sent > 0) return static_cast<std::size_t>(sent);
  // Shorter than it was: the length is already said, so the answer can only be broken off.
  ec = sent == 0 ? make_error_code(asio::error::eof)
                 : error_code(errno, boost::system::system_category());
  return 0;
}

// The waits in flight hold it, so it may outlive its owner.
class TcpSocket : public std::enable_shared_from_this<TcpSocket> {
 public:
  explicit TcpSocket(asio::io_context& context) : socket_(context) {}

  void open(Descriptor fd);
  void wait_readable();
  void wait_broken();
  void on_readable();
  void on_writable();
  void write(OutputQueue& output);
  void fail();
  void close(bool with_reset);
  template <typename F>
  void guard(F&& callback);

  tcp::socket socket_;
  std::function<void()> notify_;
  std::string input_;
  std::size_t consumed_ = 0;
  std::size_t unread_bytes_max_ = 0;
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  bool has_ended_ = false;
  bool is_broken_ = false;
};

void TcpSocket::open(Descriptor fd) {
  error_code ec;
  socket_.assign(tcp::v4(), fd.get(), ec);  // the family matters for nothing we call
  if (!ec) {
    fd.take();
    socket_.non_blocking(true, ec);
  }
  if (ec) {
    is_broken_ = true;
    return;
  }
  // Answers are written whole; waiting to fill a packet would only delay events.
  socket_.set_option(tcp::no_delay(true), ec);
  // A peer that vanished without a word is noticed by the kernel's probes.
  socket_.set_option(asio::socket_base::keep_alive(true), ec);
}

// Out of memory in a callback ends this connection, not the process.
template <typename F>
void TcpSocket::guard(F&& callback) {
  try {
    callback();
  } catch (const std::exception& e) {
    log::error("http: a connection is closed: {}", e.what());
    fail();
  }
}

void TcpSocket::wait_readable() {
  if (waits_readable_ || has_ended_ || is_broken_) return;
  if (input_.size() - consumed_ >= unread_bytes_max_) return;
  waits_readable_ = true;
  socket_.async_wait(tcp::socket::wait_read, [self = shared_from_this()](const error_code& ec) {
    self->waits_readable_ = false;
    if (self->is_broken_) return;
    if (ec) return self->fail();
    self->guard([&] { self->on_readable(); });
  });
}

void TcpSocket::on_readable() {
  // One scratch for each I/O thread: an idle connection holds no buffer.
  thread_local std::array<char, 64u << 10> scratch;
  const std::size_t unread = input_.size() - consumed_;
  const std::size_t room = unread_bytes_max_ > unread ? unread_bytes_max_ - unread : 0;
  if (room == 0) return;  // the limit was lowered meanwhile
  error_code ec;
  const std::size_t size =
      socket_.read_some(asio::buffer(scratch.data(), std::min(room, scratch.size())), ec);
  if (ec == asio::error::eof) {
    has_ended_ = true;
    wait_broken();
  } else if (ec && !would_block(ec)) {
    return fail();
  }
  input_.erase(0, std::exchange(consumed_, 0));
  input_.append(scratch.data(), size);
  wait_readable();
  if ((size > 0 || has_ended_) && notify_) notify_();
}

// After its end, the peer's reset is the only thing that may still come.
void TcpSocket::wait_broken() {
  socket_.async_wait(tcp::socket::wait_error, [self = shared_from_this()](const error_code& ec) {
    if (ec || self->is_broken_) return;
    int cause = 0;
    socklen_t size = sizeof cause;
    const auto asked =
        ::getsockopt(self->socket_.native_handle(), SOL_SOCKET, SO_ERROR, &cause, &size);
    if (asked != 0 || cause != 0) self->guard([&] { self->fail(); });
  });
}

void TcpSocket::write(OutputQueue& output) {
  while (!output.empty() && !is_broken_ && !waits_writable_) {
    error_code ec;
    if (const auto file = output.front_file()) {
      output.consume(send_file(socket_.native_handle(), *file, ec));
    } else {
      std::array<asio::const_buffer, OutputQueue::kViewsMax> buffers;
      const auto views = output.front();
      for (std::size_t i = 0; i < views.size(); ++i) {
        buffers[i] = asio::const_buffer(views[i].data(), views[i].size());
      }
      output.consume(socket_.write_some(buffers, ec));
    }
    if (!ec) continue;
    if (!would_block(ec)) return fail();
    waits_writable_ = true;
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code&) {
      self->waits_writable_ = false;
      if (self->notify_) self->guard([&] { self->notify_(); });
    });
  }
}

void TcpSocket::fail() {
  is_broken_ = true;
  has_ended_ = true;
  if (notify_) notify_();
}

void TcpSocket::close(bool with_reset) {
  notify_ = nullptr;
  is_broken_ = true;
  has_ended_ = true;
  error_code ec;
  if (with_reset) socket_.set_option(asio::socket_base::linger(true, 0), ec);
  socket_.close(ec);
}

class TcpPeerSocket final : public PeerSocket {
 public:
  TcpPeerSocket(asio::io_context& context, Descriptor fd)
      : socket_(std::make_shared<TcpSocket>(context)) {
    socket_->open(std::move(fd));
  }
  TcpPeerSocket(const TcpPeerSocket&) = delete;
  TcpPeerSocket& operator=(const TcpPeerSocket&) = delete;
  ~TcpPeerSocket() override { socket_->close(false); }

  void start(std::function<void()> notify) override { socket_->notify_ = std::move(notify); }
  std::string_view input() const override {
    return std::string_view(socket_->input_).substr(socket_->consumed_);
  }
  void consume(std::size_t size_bytes) override {
    socket_->consumed_ += size_bytes;
    if (socket_->consumed_ == socket_->input_.size()) {
      socket_->input_.clear();
      socket_->consumed_ = 0;
    }
    socket_->wait_readable();
  }
  void read_up_to(std::size_t unread_bytes_max) override {
    socket_->unread_bytes_max_ = unread_bytes_max;
    // Called once for each phase of a request: what a body needed is not kept while it is worked
    // on.
    if (socket_->input_.empty()) socket_->input_.shrink_to_fit();
    socket_->wait_readable();
  }
  bool has_ended() const override { return socket_->has_ended_; }
  bool is_broken() const override { return socket_->is_broken_; }
  void write(OutputQueue& output) override { socket_->write(output); }
  void shutdown_write() override {
    error_code ec;
    socket_->socket_.shutdown(tcp::socket::shutdown_send, ec);
  }
  void reset() override { socket_->close(true); }
  void close() override { socket_->close(false); }

 private:
  const std::shared_ptr<TcpSocket> socket_;
};

}  // namespace

std::unique_ptr<PeerSocket> open_tcp_socket(asio::io_context& context, Descriptor fd) {
  return std::make_unique<TcpPeerSocket>(context, std::move(fd));
}

}  // namespace limner::http
