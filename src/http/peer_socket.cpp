#include "http/peer_socket.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/error.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>

namespace limner::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

bool would_block(const error_code& ec) {
  return ec == asio::error::would_block || ec == asio::error::try_again ||
         ec == asio::error::interrupted;
}

}  // namespace

class PeerSocket::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& context, std::function<void()> notify)
      : socket_(context), notify_(std::move(notify)) {}

  void open(int fd);
  void wait_readable();
  void on_readable(const error_code& ec);
  void write(OutputQueue& output);
  void fail();
  void close(bool with_reset);

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

void PeerSocket::Impl::open(int fd) {
  error_code ec;
  socket_.assign(tcp::v4(), fd, ec);  // the family matters for nothing we call
  if (!ec) socket_.non_blocking(true, ec);
  if (ec) {
    is_broken_ = true;
    return;
  }
  // Answers are written whole; waiting to fill a packet would only delay events.
  socket_.set_option(tcp::no_delay(true), ec);
  // A peer that vanished without a word is noticed by the kernel's probes.
  socket_.set_option(asio::socket_base::keep_alive(true), ec);
}

void PeerSocket::Impl::wait_readable() {
  if (waits_readable_ || has_ended_ || is_broken_) return;
  if (input_.size() - consumed_ >= unread_bytes_max_) return;
  waits_readable_ = true;
  socket_.async_wait(tcp::socket::wait_read,
                     [self = shared_from_this()](const error_code& ec) { self->on_readable(ec); });
}

void PeerSocket::Impl::on_readable(const error_code& ec) {
  // One scratch for each I/O thread: an idle connection holds no buffer.
  thread_local std::array<char, 64u << 10> scratch;
  waits_readable_ = false;
  if (is_broken_) return;
  if (ec) return fail();
  const std::size_t unread = input_.size() - consumed_;
  const std::size_t room = unread_bytes_max_ > unread ? unread_bytes_max_ - unread : 0;
  if (room == 0) return;  // the limit was lowered meanwhile
  error_code read_ec;
  const std::size_t size =
      socket_.read_some(asio::buffer(scratch.data(), std::min(room, scratch.size())), read_ec);
  if (read_ec == asio::error::eof) {
    has_ended_ = true;
  } else if (read_ec && !would_block(read_ec)) {
    return fail();
  }
  input_.erase(0, std::exchange(consumed_, 0));
  input_.append(scratch.data(), size);
  wait_readable();
  if ((size > 0 || has_ended_) && notify_) notify_();
}

void PeerSocket::Impl::write(OutputQueue& output) {
  while (!output.empty() && !is_broken_ && !waits_writable_) {
    std::array<asio::const_buffer, OutputQueue::kViewsMax> buffers;
    const auto views = output.front();
    for (std::size_t i = 0; i < views.size(); ++i) {
      buffers[i] = asio::const_buffer(views[i].data(), views[i].size());
    }
    error_code ec;
    output.consume(socket_.write_some(buffers, ec));
    if (!ec) continue;
    if (!would_block(ec)) return fail();
    waits_writable_ = true;
    socket_.async_wait(tcp::socket::wait_write, [self = shared_from_this()](const error_code&) {
      self->waits_writable_ = false;
      if (self->notify_) self->notify_();
    });
  }
}

void PeerSocket::Impl::fail() {
  is_broken_ = true;
  has_ended_ = true;
  if (notify_) notify_();
}

void PeerSocket::Impl::close(bool with_reset) {
  notify_ = nullptr;
  is_broken_ = true;
  has_ended_ = true;
  error_code ec;
  if (with_reset) socket_.set_option(asio::socket_base::linger(true, 0), ec);
  socket_.close(ec);
}

PeerSocket::PeerSocket(asio::io_context& context, int fd, std::function<void()> notify)
    : impl_(std::make_shared<Impl>(context, std::move(notify))) {
  impl_->open(fd);
}
PeerSocket::~PeerSocket() {
  impl_->close(false);
}

std::string_view PeerSocket::input() const {
  return std::string_view(impl_->input_).substr(impl_->consumed_);
}

void PeerSocket::consume(std::size_t size_bytes) {
  impl_->consumed_ += size_bytes;
  if (impl_->consumed_ == impl_->input_.size()) {
    impl_->input_.clear();
    impl_->consumed_ = 0;
  }
  impl_->wait_readable();
}

void PeerSocket::read_up_to(std::size_t unread_bytes_max) {
  impl_->unread_bytes_max_ = unread_bytes_max;
  // Called once for each phase of a request: what a body needed is not kept while it is worked on.
  if (impl_->input_.empty()) impl_->input_.shrink_to_fit();
  impl_->wait_readable();
}

bool PeerSocket::has_ended() const {
  return impl_->has_ended_;
}
bool PeerSocket::is_broken() const {
  return impl_->is_broken_;
}
void PeerSocket::write(OutputQueue& output) {
  impl_->write(output);
}

void PeerSocket::shutdown_write() {
  error_code ec;
  impl_->socket_.shutdown(tcp::socket::shutdown_send, ec);
}

void PeerSocket::reset() {
  impl_->close(true);
}
void PeerSocket::close() {
  impl_->close(false);
}

}  // namespace limner::http
