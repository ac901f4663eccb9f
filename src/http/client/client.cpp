#include "http/client/client.hpp"

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "base/guarded.hpp"
#include "http/client/poller.hpp"
#include "http/client/transfer.hpp"

namespace limner::http {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t kSpareHandlesMax = 64;

struct MultiDeleter {
  void operator()(CURLM* multi) const { curl_multi_cleanup(multi); }
};

// curl wants it once, before any thread uses it.
void initialise_curl() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

PendingCall& PendingCall::operator=(PendingCall&& other) noexcept {
  if (this != &other) {
    cancel();
    cancel_ = std::exchange(other.cancel_, nullptr);
  }
  return *this;
}

void PendingCall::cancel() {
  if (auto cancel = std::exchange(cancel_, nullptr)) cancel();
}

// Everything but `commands_`, `call_count_` and the poller's wake() belongs to the loop's thread.
class Client::Loop {
 public:
  using CallId = std::uint64_t;

  Loop(ClientOptions options, std::unique_ptr<Poller> poller, CURLM* multi)
      : options_(std::move(options)), poller_(std::move(poller)), multi_(multi) {
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, &Loop::take_socket);
    curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, this);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, &Loop::take_timer);
    curl_multi_setopt(multi, CURLMOPT_TIMERDATA, this);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, options_.kept_connections_max);
  }

  void start_thread() {
    thread_ = std::jthread([this] { run(); });
  }

  void stop() {
    commands_.with([](Commands& commands) { commands.is_stopping = true; });
    poller_->wake();
    if (thread_.joinable()) thread_.join();
  }

  // 0: too many are under way, or the client ends.
  CallId send(Call call, std::shared_ptr<ReplySink> sink) {
    if (call_count_.fetch_add(1) >= options_.calls_max) {
      --call_count_;
      return 0;
    }
    auto transfer = std::make_unique<Transfer>(std::move(call), std::move(sink), now());
    const auto id = commands_.with([&](Commands& commands) -> CallId {
      if (commands.is_stopping) return 0;
      commands.starts.push_back({++commands.last_id, std::move(transfer)});
      return commands.last_id;
    });
    if (id == 0) --call_count_;
    poller_->wake();
    return id;
  }

  void cancel(CallId id) {
    commands_.with([&](Commands& commands) { commands.cancels.push_back(id); });
    poller_->wake();
  }

 private:
  struct Start {
    CallId id;
    std::unique_ptr<Transfer> transfer;
  };
  struct Commands {
    std::vector<Start> starts;
    std::vector<CallId> cancels;
    CallId last_id = 0;
    bool is_stopping = false;
  };

  static TimePoint now() { return std::chrono::steady_clock::now(); }

  void run() {
    while (take_commands()) {
      poller_->wait(time_to_wait(), [this](Poller::Ready ready) {
        const int what = (ready.can_read ? CURL_CSELECT_IN : 0) |
                         (ready.can_write ? CURL_CSELECT_OUT : 0) |
                         (ready.has_error ? CURL_CSELECT_ERR : 0);
        int running = 0;
        curl_multi_socket_action(multi_.get(), ready.socket, what, &running);
      });
      if (curl_timer_ && now() >= *curl_timer_) {
        curl_timer_.reset();
        int running = 0;
        curl_multi_socket_action(multi_.get(), CURL_SOCKET_TIMEOUT, 0, &running);
      }
      end_complete();
      end_late();
    }
    while (!transfers_.empty()) end(transfers_.begin()->first, "the client ended");
  }

  // False when the loop is to end.
  bool take_commands() {
    std::vector<Start> starts;
    std::vector<CallId> cancels;
    const bool is_stopping = commands_.with([&](Commands& commands) {
      starts.swap(commands.starts);
      cancels.swap(commands.cancels);
      return commands.is_stopping;
    });
    for (auto& start : starts) begin(start.id, std::move(start.transfer));
    for (const auto id : cancels) end(id, "cancelled");
    return !is_stopping;
  }

  void begin(CallId id, std::unique_ptr<Transfer> owned) {
    auto& transfer = *owned;
    transfers_.emplace(id, std::move(owned));
    auto handle = take_spare_handle();
    if (!handle) {
      finish(id, CallFailure::Unreachable, "no memory for a call");
      return;
    }
    transfer.prepare(std::move(handle), options_);
    ids_[transfer.handle()] = id;
    if (curl_multi_add_handle(multi_.get(), transfer.handle()) != CURLM_OK) {
      finish(id, CallFailure::Unreachable, "libcurl took no further call");
      return;
    }
    deadlines_.emplace(transfer.next_look(now()), id);
  }

  void end(CallId id, const char* why) { finish(id, CallFailure::Cancelled, why); }

  void finish(CallId id, CallFailure failure, std::string detail) {
    if (auto transfer = take(id)) {
      transfer->finish(failure, std::move(detail), now());
      keep_handle(transfer->take_handle());
    }
  }

  // Out of every table; nothing of libcurl's touches it any more.
  std::unique_ptr<Transfer> take(CallId id) {
    const auto found = transfers_.find(id);
    if (found == transfers_.end()) return nullptr;
    auto transfer = std::move(found->second);
    transfers_.erase(found);
    if (transfer->handle()) {
      curl_multi_remove_handle(multi_.get(), transfer->handle());
      ids_.erase(transfer->handle());
    }
    --call_count_;
    return transfer;
  }

  void end_complete() {
    int waiting = 0;
    while (const auto* message = curl_multi_info_read(multi_.get(), &waiting)) {
      if (message->msg != CURLMSG_DONE) continue;
      const auto code = message->data.result;
      const auto id = ids_.at(message->easy_handle);
      if (auto transfer = take(id)) {
        transfer->finish(code, now());
        keep_handle(transfer->take_handle());
      }
    }
  }

  void end_late() {
    const auto at = now();
    while (!deadlines_.empty() && deadlines_.begin()->first <= at) {
      const auto id = deadlines_.begin()->second;
      deadlines_.erase(deadlines_.begin());
      const auto found = transfers_.find(id);
      if (found == transfers_.end()) continue;
      if (auto late = found->second->late(at)) {
        finish(id, CallFailure::Late, std::move(*late));
      } else {
        deadlines_.emplace(found->second->next_look(at), id);
      }
    }
  }

  milliseconds time_to_wait() const {
    std::optional<TimePoint> next = curl_timer_;
    if (!deadlines_.empty()) {
      next = std::min(next.value_or(TimePoint::max()), deadlines_.begin()->first);
    }
    if (!next) return milliseconds(-1);
    // Rounded up: a wait that ends too early would be waited again.
    return std::max(std::chrono::ceil<milliseconds>(*next - now()), milliseconds(0));
  }

  EasyHandle take_spare_handle() {
    if (spare_.empty()) return EasyHandle(curl_easy_init());
    auto handle = std::move(spare_.back());
    spare_.pop_back();
    return handle;
  }

  void keep_handle(EasyHandle handle) {
    if (!handle || spare_.size() >= kSpareHandlesMax) return;
    curl_easy_reset(handle.get());
    spare_.push_back(std::move(handle));
  }

  static int take_socket(CURL*, curl_socket_t socket, int what, void* self, void*) {
    auto& loop = *static_cast<Loop*>(self);
    if (what == CURL_POLL_REMOVE) {
      loop.poller_->forget(socket);
    } else {
      loop.poller_->watch(socket, {.read = (what & CURL_POLL_IN) != 0,
                                   .write = (what & CURL_POLL_OUT) != 0});
    }
    return 0;
  }

  static int take_timer(CURLM*, long wait_ms, void* self) {
    auto& loop = *static_cast<Loop*>(self);
    loop.curl_timer_ = wait_ms < 0 ? std::nullopt
                                   : std::optional(now() + milliseconds(wait_ms));
    return 0;
  }

  const ClientOptions options_;
  const std::unique_ptr<Poller> poller_;
  Guarded<Commands> commands_;
  std::atomic<std::size_t> call_count_ = 0;

  // The multi handle ends before the poller and after the easy handles.
  const std::unique_ptr<CURLM, MultiDeleter> multi_;
  std::unordered_map<CallId, std::unique_ptr<Transfer>> transfers_;
  std::unordered_map<CURL*, CallId> ids_;
  std::multimap<TimePoint, CallId> deadlines_;
  std::optional<TimePoint> curl_timer_;
  std::vector<EasyHandle> spare_;
  std::jthread thread_;
};

Result<std::unique_ptr<Client>> Client::start(ClientOptions options) {
  initialise_curl();
  auto poller = Poller::make();
  if (!poller) return poller.error();
  auto* multi = curl_multi_init();
  if (!multi) {
    return Error{.kind = ErrorKind::Unavailable, .message = "the HTTP client could not be started"};
  }
  auto loop = std::make_shared<Loop>(std::move(options), std::move(*poller), multi);
  loop->start_thread();
  return std::unique_ptr<Client>(new Client(std::move(loop)));
}

Client::Client(std::shared_ptr<Loop> loop) : loop_(std::move(loop)) {}

Client::~Client() { loop_->stop(); }

Result<PendingCall> Client::send(Call call, std::shared_ptr<ReplySink> sink) {
  const auto id = loop_->send(std::move(call), std::move(sink));
  if (id == 0) {
    return Error{.kind = ErrorKind::Unavailable,
                 .message = "too many requests to other servers are under way",
                 .retry_after = std::chrono::seconds(2)};
  }
  return PendingCall([loop = std::weak_ptr(loop_), id] {
    if (const auto still = loop.lock()) still->cancel(id);
  });
}

}  // namespace limner::http
