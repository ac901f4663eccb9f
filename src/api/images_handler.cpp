#include "api/images_handler.hpp"

#include <utility>

#include "api/call_context.hpp"
#include "api/image_job.hpp"
#include "api/read_image_request.hpp"

namespace limner::api {
namespace {

struct Fields {
  FieldReader reader;
  std::vector<FormFile> files;
};

// A body as JSON or as a form; without one, Nebula's GET may put the fields into its query.
Result<Fields> read_fields(const http::Request& request, http::Body body) {
  if (auto* parts = std::get_if<std::vector<http::Part>>(&body)) {
    auto form = read_form(std::move(*parts));
    if (!form) return form.error();
    return Fields{.reader = FieldReader(std::move(form->texts), FieldReader::Source::Text),
                  .files = std::move(form->files)};
  }
  const auto& text = std::get<std::string>(body);
  if (text.empty() && request.method == "GET") {
    auto query = read_query(request.query);
    if (!query) return query.error();
    return Fields{.reader = FieldReader(*std::move(query), FieldReader::Source::Text), .files = {}};
  }
  auto reader = FieldReader::from_json(text);
  if (!reader) return reader.error();
  return Fields{.reader = *std::move(reader), .files = {}};
}

void handle(Services& services, std::shared_ptr<http::Exchange> exchange, CallContext call,
            http::Body body) {
  if (exchange->client_gone().stop_requested()) return;
  auto fields = read_fields(exchange->request(), std::move(body));
  if (!fields) {
    exchange->respond(error_response(fields.error(), call.error_context()));
    return;
  }
  auto request = read_image_request(fields->reader, std::move(fields->files),
                                    {.dialect = call.dialect,
                                     .operation = call.operation,
                                     .is_strict = call.is_strict || services.options.is_strict,
                                     .model_of_path = call.model_of_path,
                                     .limits = &services.limits});
  if (!request) {
    exchange->respond(error_response(request.error(), call.error_context()));
    return;
  }
  if (request->wants_progress) call.wants_progress = true;
  std::make_shared<ImageJob>(services, std::move(exchange), std::move(call), *std::move(request))
      ->start();
}

}  // namespace

http::Handler images_handler(Services& services, Dialect dialect, Operation operation) {
  return [&services, dialect, operation](std::shared_ptr<http::Exchange> exchange) {
    auto call = read_call(*exchange, dialect, operation, services.options.public_url);
    const auto context = call.error_context();
    // Shared only because std::function wants to be copied.
    auto body = std::make_shared<http::Body>(exchange->take_body());
    const bool is_taken =
        services.workers.try_post([&services, exchange, call = std::move(call), body]() mutable {
          handle(services, std::move(exchange), std::move(call), std::move(*body));
        });
    if (is_taken) return;
    exchange->respond(error_response(Error{.kind = ErrorKind::Unavailable,
                                           .message = "too many uploads are being read",
                                           .retry_after = std::chrono::seconds{1}},
                                     context));
  };
}

}  // namespace limner::api
