#include "http/connection.hpp"

#include <atomic>
#include <chrono>
#include <exception>
#include <utility>

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <fmt/format.h>

#include "base/log.hpp"
#include "http/body_collector.hpp"
#include "http/body_pace.hpp"
#include "http/exchange_state.hpp"
#include "http/peer_socket.hpp"
#include "http/request_head.hpp"
#include "http/response_encoder.hpp"
#include "http/server_core.hpp"
#include "http/turn.hpp"

namespace limner::http {
namespace {

namespace asio = boost::asio;
using SteadyClock = std::chrono::steady_clock;

// Bytes read ahead: while a body is received, and while a handler works (pipelined requests).
constexpr std::size_t kBodyReadAhead = 128u << 10;
// Below this an answer is not counted: an error must always find its way.
constexpr std::size_t kFreeAnswerBytes = 16u << 10;

class ClientConnection final : public Connection,
                               public std::enable_shared_from_this<ClientConnection> {
 public:
  ClientConnection(ServerCore& core, asio::io_context& context, std::unique_ptr<PeerSocket> socket,
                   Peer peer)
      : core_(core),
        context_(context),
        peer_(std::move(peer)),
        socket_(std::move(socket)),
        wake_timer_(context) {}

  void open() {
    socket_->start([weak = weak_from_this()] {
      if (const auto self = weak.lock()) self->on_socket();
    });
  }

  void start() override;
  void drain() override { post_wake(); }
  void close() override;

 private:
  asio::awaitable<void> run();
  asio::awaitable<bool> serve_one();
  asio::awaitable<bool> read_head(Turn& turn);
  asio::awaitable<void> read_body(Turn& turn);
  asio::awaitable<bool> pump_body(Turn& turn, BodyCollector& body);
  asio::awaitable<void> run_handler(Turn& turn);
  asio::awaitable<bool> send_new_output(Turn& turn, ExchangeState& state);
  asio::awaitable<bool> flush(Turn& turn);
  asio::awaitable<void> linger();
  asio::awaitable<bool> wait_until(TimePoint deadline);

  void finish();

  void on_socket();
  void wake();
  void post_wake();

  ServerCore& core_;
  asio::io_context& context_;
  const Peer peer_;
  const std::unique_ptr<PeerSocket> socket_;
  asio::steady_timer wake_timer_;
  bool is_woken_ = false;
  std::atomic<bool> is_wake_posted_{false};
  OutputQueue output_;
  std::shared_ptr<ExchangeState> state_;  // of the handler at work
  bool has_served_ = false;
  bool needs_linger_ = false;
};

void ClientConnection::start() {
  asio::co_spawn(
      context_, [self = shared_from_this()] { return self->run(); },
      [self = shared_from_this()](const std::exception_ptr& failure) {
        if (failure) {
          try {
            std::rethrow_exception(failure);
          } catch (const std::exception& e) {
            log::error("http: a connection ended by an exception: {}", e.what());
          }
        }
        self->finish();
      });
}

void ClientConnection::close() {
  asio::post(context_, [self = shared_from_this()] {
    self->socket_->reset();
    self->on_socket();
  });
}

asio::awaitable<void> ClientConnection::run() {
  core_.observer.connection_opened();
  bool goes_on = true;
  while (goes_on) goes_on = co_await serve_one();
  if (needs_linger_ && !socket_->is_broken()) co_await linger();
}

// True when another request may follow.
asio::awaitable<bool> ClientConnection::serve_one() {
  Turn turn(core_);
  const bool has_request = co_await read_head(turn);
  if (!has_request) co_return false;
  core_.observer.request_started();
  if (!turn.answer) turn.find_route(peer_);
  if (!turn.answer) co_await read_body(turn);
  if (peer_.admission == Admission::VitalOnly) turn.keeps_alive = false;
  if (socket_->is_broken()) {
    turn.keeps_alive = false;
  } else if (turn.answer) {
    // What follows on this connection would be the rest of the body.
    if (!turn.parser.is_complete()) turn.keeps_alive = false;
    turn.queue_whole(output_, std::move(*turn.answer));
    const bool is_sent = co_await flush(turn);
    turn.keeps_alive = turn.keeps_alive && is_sent;
  } else {
    co_await run_handler(turn);
  }
  has_served_ = true;
  core_.observer.request_finished(turn.summary());
  needs_linger_ = !turn.parser.is_complete() || !socket_->input().empty();
  co_return turn.keeps_alive && !socket_->is_broken();
}

// False when the connection ended before a request; else turn.answer may hold a refusal.
asio::awaitable<bool> ClientConnection::read_head(Turn& turn) {
  constexpr std::chrono::seconds kDrainGrace{1};
  constexpr std::chrono::milliseconds kVitalHeadMax{2'000};
  auto timeouts = core_.options.timeouts;
  if (peer_.admission == Admission::VitalOnly) {
    timeouts.head = std::min(timeouts.head, kVitalHeadMax);
  }
  socket_->read_up_to(core_.options.head.head_bytes_max + 4);
  const auto idle_since = SteadyClock::now();
  bool has_begun = false;
  for (;;) {
    while (socket_->input().starts_with("\r\n")) socket_->consume(2);
    const auto input = socket_->input();
    if (!has_begun && !input.empty()) {
      has_begun = true;
      turn.started = SteadyClock::now();
    }
    const auto head_size = input == "\r" ? Result<std::size_t>(std::size_t{0})
                                         : find_head_end(input, core_.options.head);
    if (!head_size) {
      turn.fail(head_size.error());
      co_return true;
    }
    if (*head_size > 0) {
      turn.take_head(input.substr(0, *head_size), peer_);
      socket_->consume(*head_size);
      co_return true;
    }
    if (socket_->has_ended()) co_return false;
    auto deadline = idle_since + (has_served_ ? timeouts.keep_alive : timeouts.head);
    if (has_begun) deadline = turn.started + timeouts.head;
    if (core_.is_draining && !has_begun) {
      if (has_served_) co_return false;
      deadline = std::min(deadline, idle_since + kDrainGrace);
    }
    const bool in_time = co_await wait_until(deadline);
    if (in_time) continue;
    if (!has_begun) co_return false;
    turn.fail({.kind = ErrorKind::RequestTimeout,
               .message = fmt::format("the request's head did not arrive within {} ms",
                                      timeouts.head.count()),
               .code = "request_timeout"});
    co_return true;
  }
}

asio::awaitable<void> ClientConnection::read_body(Turn& turn) {
  auto body =
      BodyCollector::make(turn.request, turn.framing, turn.route->body, core_.options.spill_folder,
                          BodyLease(core_.body_budget, turn.owner));
  if (!body) {
    turn.fail(body.error());
    co_return;
  }
  const bool awaits_continue = turn.request.version_minor == 1 &&
                               turn.request.headers.has("Expect") && !turn.parser.is_complete() &&
                               socket_->input().empty();
  if (awaits_continue) {
    output_.add("HTTP/1.1 100 Continue\r\n\r\n");
    const bool is_sent = co_await flush(turn);
    if (!is_sent) co_return;
  }
  socket_->read_up_to(kBodyReadAhead);
  const bool is_whole = co_await pump_body(turn, *body);
  if (!is_whole) co_return;
  auto finished = body->finish();
  if (!finished) {
    turn.fail(finished.error());
    co_return;
  }
  turn.request.body = std::move(*finished);
  turn.body_memory = body->take_lease();
}

// Feeds the body until it is complete. False: turn.answer says why not, or the peer has left.
asio::awaitable<bool> ClientConnection::pump_body(Turn& turn, BodyCollector& body) {
  BodyPace pace(core_.options.timeouts, SteadyClock::now());
  while (!turn.parser.is_complete()) {
    auto used = turn.parser.parse_body(socket_->input(), body);
    turn.body_bytes_in = body.size();
    if (!used) {
      turn.fail(used.error());
      co_return false;
    }
    socket_->consume(*used);
    if (turn.parser.is_complete()) break;
    if (socket_->has_ended()) {
      turn.keeps_alive = false;
      socket_->close();
      co_return false;
    }
    const bool is_strained = core_.body_budget.is_strained();
    if (const auto late = pace.check(body.size(), is_strained, SteadyClock::now())) {
      turn.fail(*late);
      co_return false;
    }
    co_await wait_until(pace.next_check());
  }
  co_return true;
}

asio::awaitable<void> ClientConnection::run_handler(Turn& turn) {
  socket_->read_up_to(core_.options.head.head_bytes_max + 4);
  const auto state = std::make_shared<ExchangeState>(ExchangeState::Setup{
      .request = std::move(turn.request),
      .parameters = std::move(turn.parameters),
      .context = std::move(turn.context),
      .body_memory = std::move(turn.body_memory),
      .answer_memory = ByteLease(core_.answer_budget, turn.owner, kFreeAnswerBytes),
      .buffer_bytes_max = core_.options.stream_buffer_bytes_max,
      .wake = [self = shared_from_this()] { self->post_wake(); }});
  state_ = state;
  auto exchange = state->make_handle();
  turn.request.method = exchange->request().method;
  turn.request.version_minor = exchange->request().version_minor;
  turn.call_handler(std::move(exchange));
  if (socket_->is_broken()) state->signal_gone();
  bool goes_on = true;
  while (goes_on) goes_on = co_await send_new_output(turn, *state);
  state->detach();
  state_.reset();
}

// One round: sends what is new, then waits for more. False when the exchange has ended.
asio::awaitable<bool> ClientConnection::send_new_output(Turn& turn, ExchangeState& state) {
  auto output = state.take();
  // Nobody is left to answer: letting go is how a handler ends the work of a client that left.
  if (socket_->is_broken()) co_return false;
  if (output.is_abandoned || output.is_too_much) {
    output.is_abandoned ? turn.fail_unanswered() : turn.fail_too_much();
    output.head = std::move(*turn.answer);
    output.is_closed = true;
  }
  if (output.is_aborted) {
    turn.was_aborted = true;
    socket_->reset();
    co_return false;
  }
  const bool is_head_only = turn.is_head_only();
  std::size_t pieces_size = 0;
  if (output.head && output.is_stream) {
    const bool can_chunk = turn.request.version_minor == 1;
    turn.length = can_chunk ? AnswerLength::Chunked : AnswerLength::UntilClose;
    if (!can_chunk) turn.keeps_alive = false;
    turn.last_sent = SteadyClock::now();
    turn.stream.emplace(core_.observer);
    turn.queue_head(output_, *output.head);
  } else if (output.head) {
    turn.queue_whole(output_, std::move(*output.head));
  }
  for (auto& piece : output.pieces) {
    pieces_size += piece.size();
    if (!is_head_only) turn.queue_piece(output_, std::move(piece));
  }
  const bool ends = output.is_closed || (is_head_only && turn.status != 0);
  if (ends && turn.length == AnswerLength::Chunked && !is_head_only) output_.add(kLastChunk);
  if (!ends && socket_->has_ended()) turn.queue_probe(output_, output.stream_options);
  if (!output_.empty()) {
    const bool is_sent = co_await flush(turn);
    if (!is_sent) co_return false;
    turn.last_sent = SteadyClock::now();
  }
  state.sent(pieces_size);
  if (ends) co_return false;

  const bool beats = turn.status != 0 && !output.stream_options.heartbeat_bytes.empty();
  const auto deadline =
      beats ? turn.last_sent + output.stream_options.heartbeat_interval : TimePoint::max();
  const bool in_time = co_await wait_until(deadline);
  if (!in_time) turn.queue_piece(output_, output.stream_options.heartbeat_bytes);
  co_return !socket_->is_broken();
}

// Sends all of output_. False when the peer is gone, or took nothing for the stall time.
asio::awaitable<bool> ClientConnection::flush(Turn& turn) {
  std::size_t left = output_.size();
  auto deadline = SteadyClock::now() + core_.options.timeouts.stall;
  for (;;) {
    socket_->write(output_);
    if (socket_->is_broken()) break;
    if (output_.size() < left) deadline = SteadyClock::now() + core_.options.timeouts.stall;
    turn.bytes_out += left - output_.size();
    left = output_.size();
    if (output_.empty()) co_return true;
    const bool in_time = co_await wait_until(deadline);
    if (!in_time) break;
  }
  output_.clear();
  socket_->reset();
  if (state_) state_->signal_gone();
  co_return false;
}

// Lets the peer read an answer that came before it had sent everything: closing at once would make
// the kernel send a reset, which may overtake the answer.
asio::awaitable<void> ClientConnection::linger() {
  socket_->shutdown_write();
  const auto deadline = SteadyClock::now() + core_.options.timeouts.linger;
  std::size_t budget = core_.options.unread_body_bytes_max;
  bool in_time = true;
  while (in_time && !socket_->has_ended() && !core_.is_draining) {
    const auto size = socket_->input().size();
    budget -= std::min(budget, size);
    socket_->consume(size);
    socket_->read_up_to(std::min(budget, core_.options.head.head_bytes_max));
    in_time = co_await wait_until(deadline);
  }
}

// False when the deadline has passed without a call of wake().
asio::awaitable<bool> ClientConnection::wait_until(TimePoint deadline) {
  if (!is_woken_) {
    wake_timer_.expires_at(deadline);
    co_await wake_timer_.async_wait(asio::as_tuple(asio::use_awaitable));
  }
  co_return std::exchange(is_woken_, false) || SteadyClock::now() < deadline;
}

void ClientConnection::finish() {
  if (state_) {
    state_->signal_gone();
    state_->detach();
    state_.reset();
  }
  socket_->close();
  core_.observer.connection_closed();
  core_.connections.remove(this);  // last: the server may end right after
}

void ClientConnection::on_socket() {
  if (state_ && socket_->is_broken()) state_->signal_gone();
  wake();
}

void ClientConnection::wake() {
  is_woken_ = true;
  wake_timer_.cancel();
}

void ClientConnection::post_wake() {
  if (is_wake_posted_.exchange(true)) return;
  asio::post(context_, [self = shared_from_this()] {
    self->is_wake_posted_ = false;
    self->wake();
  });
}

}  // namespace

std::shared_ptr<Connection> make_connection(ServerCore& core, asio::io_context& context,
                                            std::unique_ptr<PeerSocket> socket, Peer peer) {
  auto connection =
      std::make_shared<ClientConnection>(core, context, std::move(socket), std::move(peer));
  connection->open();
  return connection;
}

}  // namespace limner::http
