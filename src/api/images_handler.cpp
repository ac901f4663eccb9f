#include "api/images_handler.hpp"

#include <utility>

#include <fmt/format.h>

#include "api/allowed_models.hpp"
#include "api/answer.hpp"
#include "api/call_context.hpp"
#include "api/image_job.hpp"
#include "api/read_body.hpp"
#include "api/read_image_request.hpp"
#include "base/hash.hpp"

namespace limner::api {
namespace {

// Of everything that decides the answer. Each piece goes in by its own digest, so that no text in
// one can pass for the next.
std::string digest_of(const CallContext& call, const http::Request& request,
                      const http::Body& body) {
  std::string pieces;
  const auto add = [&](std::string_view piece) { pieces += sha256_hex(piece); };
  add(call.owner());
  add(request.method);
  add(request.target);  // with its query
  if (const auto* parts = std::get_if<std::vector<http::Part>>(&body)) {
    for (const auto& part : *parts) {
      add(part.name);
      add(part.content.text());
    }
  } else {
    add(std::get<std::string>(body));
  }
  return sha256_hex(pieces);
}

Error clash() {
  return {.kind = ErrorKind::Conflict,
          .message = "Idempotency-Key: already used for another request",
          .param = "Idempotency-Key",
          .code = "idempotency_conflict"};
}

Error crowded() {
  return {.kind = ErrorKind::Unavailable,
          .message = "Idempotency-Key: too many callers wait for this answer",
          .retry_after = std::chrono::seconds{5}};
}

// The first caller of a key: its answer is everybody's. Without one, by a bug or an exception, the
// key must not stay taken.
class FirstCaller {
 public:
  // `lost` is what those hear who wait for an answer that never came.
  FirstCaller(IdempotencyStore& store, std::string key, std::shared_ptr<http::Exchange> exchange,
              IdempotencyStore::Stored lost)
      : store_(store),
        key_(std::move(key)),
        exchange_(std::move(exchange)),
        lost_(std::move(lost)) {}
  FirstCaller(const FirstCaller&) = delete;
  FirstCaller& operator=(const FirstCaller&) = delete;
  ~FirstCaller() {
    if (!is_done_) store_.finish(key_, lost_);
  }

  void finish(Answer answer) {
    const auto stored = std::make_shared<const Answer>(std::move(answer));
    // First the store: who has this answer may at once ask again.
    store_.finish(key_, stored);
    is_done_ = true;
    exchange_->respond(stored->response);
  }

 private:
  IdempotencyStore& store_;
  const std::string key_;
  const std::shared_ptr<http::Exchange> exchange_;
  const IdempotencyStore::Stored lost_;
  bool is_done_ = false;
};

class Handling {
 public:
  Handling(Services& services, std::shared_ptr<http::Exchange> exchange, CallContext call)
      : services_(services), exchange_(std::move(exchange)), call_(std::move(call)) {}

  void run(http::Body body) {
    if (exchange_->client_gone().stop_requested()) return;
    auto& key = call_.idempotency_key;
    if (key.size() > kIdempotencyKeyMax) {
      return refuse(
          invalid_value("Idempotency-Key",
                        fmt::format("Idempotency-Key: at most {} characters", kIdempotencyKeyMax)));
    }
    const auto digest = key.empty() ? std::string() : digest_of(call_, exchange_->request(), body);
    auto fields = read_fields(exchange_->request(), std::move(body));
    if (!fields) return refuse(fields.error());
    note_model(*fields);
    auto request = read_image_request(fields->reader, std::move(fields->files),
                                      {.dialect = call_.dialect,
                                       .operation = call_.operation,
                                       .is_strict = call_.is_strict || services_.options.is_strict,
                                       .model_of_path = call_.model_of_path,
                                       .limits = &services_.limits});
    if (!request) return refuse(request.error());
    if (request->wants_progress) call_.wants_progress = true;
    if (request->is_streamed) key.clear();
    if (key.empty()) {
      paint(*std::move(request), [exchange = exchange_](Answer answer) {
        exchange->respond(std::move(answer.response));
      });
    } else {
      paint_once(*std::move(request), digest);
    }
  }

 private:
  static constexpr std::size_t kIdempotencyKeyMax = 255;

  // As in a good answer: what was sent, else the default's name.
  void note_model(Fields& fields) {
    auto& name = call_.model_requested;
    if (name.empty()) name = model_named_in(fields);
    if (!name.empty()) return;
    const auto models = allowed_models(services_.painter, call_);
    if (!models.empty()) name = models.front().name;
  }

  void refuse(const Error& error) {
    exchange_->respond(error_response(error, call_.error_context()));
  }

  void paint(ImageRequest request, ReplyChannel::Responder respond) {
    auto channel = std::make_shared<ReplyChannel>(exchange_, std::move(respond));
    std::make_shared<ImageJob>(services_, std::move(channel), call_, std::move(request))->start();
  }

  void paint_once(ImageRequest request, const std::string& digest) {
    auto key = call_.owner() + "\n" + call_.idempotency_key;
    const auto replay = [exchange = exchange_,
                         id = call_.request_id](const IdempotencyStore::Stored& stored) {
      auto response = stored->response;
      response.headers.set("idempotent-replayed", "true");
      response.headers.set("x-request-id", id);
      exchange->respond(std::move(response));
    };
    auto begun = services_.idempotency.begin(key, digest, replay);
    if (std::holds_alternative<IdempotencyStore::Clash>(begun)) return refuse(clash());
    if (std::holds_alternative<IdempotencyStore::Crowded>(begun)) return refuse(crowded());
    if (std::holds_alternative<IdempotencyStore::Waits>(begun)) {
      return services_.metrics.cache_lookup("idempotency", true);
    }
    const auto* stored = std::get_if<IdempotencyStore::Stored>(&begun);
    services_.metrics.cache_lookup("idempotency", stored != nullptr);
    if (stored) return replay(*stored);
    const Error lost{.kind = ErrorKind::Internal, .message = "the answer was lost"};
    auto for_waiting = std::make_shared<const Answer>(
        Answer{.response = error_response(lost, call_.error_context())});
    // Shared only because std::function wants to be copied.
    auto first = std::make_shared<FirstCaller>(services_.idempotency, std::move(key), exchange_,
                                               std::move(for_waiting));
    paint(std::move(request), [first](Answer answer) { first->finish(std::move(answer)); });
  }

  Services& services_;
  const std::shared_ptr<http::Exchange> exchange_;
  CallContext call_;
};

}  // namespace

http::Handler images_handler(Services& services, Dialect dialect, Operation operation) {
  return [&services, dialect, operation](std::shared_ptr<http::Exchange> exchange) {
    auto call = read_call(*exchange, dialect, operation,
                          base_url_of(exchange->request(), services.options.address));
    const auto context = call.error_context();
    // Shared only because std::function wants to be copied.
    auto body = std::make_shared<http::Body>(exchange->take_body());
    const bool is_taken =
        services.workers.try_post([&services, exchange, call = std::move(call), body]() mutable {
          Handling(services, std::move(exchange), std::move(call)).run(std::move(*body));
        });
    if (is_taken) return;
    exchange->respond(error_response(too_many_uploads(), context));
  };
}

}  // namespace limner::api
