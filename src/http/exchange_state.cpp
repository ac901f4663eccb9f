#include "http/exchange_state.hpp"

#include <utility>

namespace limner::http {
namespace {

// Pieces that must not be lost may pass the buffer's limit, but not this one: the stream is then
// aborted, which its reader can see.
constexpr std::size_t kRequiredBytesMax = 256u << 20;

}  // namespace

class ExchangeState::Stream final : public ResponseStream {
 public:
  explicit Stream(std::shared_ptr<ExchangeState> state) : state_(std::move(state)) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;
  ~Stream() override { state_->abort(); }

  bool write(std::string piece) override { return state_->write(std::move(piece), Loss::Allowed); }
  bool write_required(std::string piece) override {
    return state_->write(std::move(piece), Loss::Forbidden);
  }
  bool write_final(std::string piece) override {
    const bool is_taken = write_required(std::move(piece));
    close();
    return is_taken;
  }
  void close() override { state_->close(); }
  void abort() override { state_->abort(); }

 private:
  std::shared_ptr<ExchangeState> state_;
};

class ExchangeState::Handle final : public Exchange {
 public:
  explicit Handle(std::shared_ptr<ExchangeState> state) : state_(std::move(state)) {}
  Handle(const Handle&) = delete;
  Handle& operator=(const Handle&) = delete;
  ~Handle() override { state_->abandon(); }

  const Request& request() const override { return state_->request_; }
  Body take_body() override {
    state_->body_memory_ = BodyLease();
    return std::exchange(state_->request_.body, std::string());
  }
  std::string_view path_parameter(std::string_view name) const override {
    for (const auto& [known, value] : state_->parameters_) {
      if (known == name) return value;
    }
    return {};
  }
  const std::any& context() const override { return state_->context_; }

  bool respond(Response response) override {
    return state_->answer(std::move(response), std::nullopt);
  }
  std::shared_ptr<ResponseStream> start_stream(int status, Headers headers,
                                               StreamOptions options) override {
    Response head{.status = status, .headers = std::move(headers), .body = {}};
    if (!state_->answer(std::move(head), std::move(options))) return nullptr;
    return std::make_shared<Stream>(state_);
  }
  bool responded() const override {
    return state_->shared_.with([](const Shared& shared) { return shared.is_answered; });
  }
  std::stop_token client_gone() const override { return state_->gone_.get_token(); }

 private:
  std::shared_ptr<ExchangeState> state_;
};

ExchangeState::ExchangeState(Setup setup)
    : request_(std::move(setup.request)),
      parameters_(std::move(setup.parameters)),
      context_(std::move(setup.context)),
      body_memory_(std::move(setup.body_memory)),
      buffer_bytes_max_(setup.buffer_bytes_max) {
  shared_.with([&](Shared& shared) {
    shared.memory = std::move(setup.answer_memory);
    shared.wake = std::move(setup.wake);
  });
}

std::shared_ptr<Exchange> ExchangeState::make_handle() {
  return std::make_shared<Handle>(shared_from_this());
}

ExchangeState::Output ExchangeState::take() {
  return shared_.with([](Shared& shared) {
    return Output{.head = std::exchange(shared.head, std::nullopt),
                  .is_stream = shared.is_stream,
                  .stream_options = shared.stream_options,
                  .pieces = std::exchange(shared.pieces, {}),
                  .is_closed = shared.is_closed,
                  .is_aborted = shared.is_aborted,
                  .is_abandoned = shared.is_abandoned,
                  .is_too_much = shared.is_too_much};
  });
}

void ExchangeState::sent(std::size_t size_bytes) {
  shared_.with([&](Shared& shared) {
    shared.buffered_bytes -= size_bytes;
    if (shared.is_stream) (void)shared.memory.resize(shared.buffered_bytes);
  });
}

void ExchangeState::detach() {
  shared_.with([](Shared& shared) {
    shared.wake = nullptr;
    shared.head.reset();
    shared.pieces.clear();
    shared.memory = ByteLease();
  });
}

bool ExchangeState::answer(Response head, std::optional<StreamOptions> stream) {
  return shared_.with([&](Shared& shared) {
    if (std::exchange(shared.is_answered, true)) return false;
    shared.is_stream = stream.has_value();
    shared.is_closed = !shared.is_stream;
    // Nobody listens: what the answer holds is let go at once.
    if (!shared.wake) return true;
    shared.is_too_much = !shared.memory.resize(head.body_text().size());
    if (!shared.is_too_much) shared.head = std::move(head);
    if (stream) shared.stream_options = std::move(*stream);
    shared.wake();
    return !shared.is_too_much;
  });
}

bool ExchangeState::write(std::string piece, Loss loss) {
  return shared_.with([&](Shared& shared) {
    if (!shared.wake || shared.is_closed || shared.is_aborted) return false;
    if (piece.empty()) return true;
    const std::size_t after = shared.buffered_bytes + piece.size();
    if (loss == Loss::Allowed && after > buffer_bytes_max_) return false;
    const bool has_room = after <= kRequiredBytesMax && shared.memory.resize(after);
    if (!has_room && loss == Loss::Allowed) return false;
    if (!has_room) {
      shared.is_aborted = true;
    } else {
      shared.buffered_bytes = after;
      shared.pieces.push_back(std::move(piece));
    }
    shared.wake();
    return !shared.is_aborted;
  });
}

void ExchangeState::close() {
  shared_.with([](Shared& shared) {
    if (shared.is_closed || shared.is_aborted) return;
    shared.is_closed = true;
    if (shared.wake) shared.wake();
  });
}

void ExchangeState::abort() {
  shared_.with([](Shared& shared) {
    if (shared.is_closed || shared.is_aborted) return;
    shared.is_aborted = true;
    if (shared.wake) shared.wake();
  });
}

void ExchangeState::abandon() {
  shared_.with([](Shared& shared) {
    if (shared.is_answered) return;
    shared.is_answered = true;
    shared.is_abandoned = true;
    if (shared.wake) shared.wake();
  });
}

}  // namespace limner::http
