#include "api/requests_routes.hpp"

#include "api/call_context.hpp"
#include "api/json_response.hpp"

namespace limner::api {
namespace {

json::object describe_status(const RequestStatus& status) {
  const auto state = to_string(status.state);
  json::object object = {
      {"id", status.id},           {"job_id", status.job_id},
      {"object", "image.request"}, {"status", json::string_view(state.data(), state.size())},
      {"model", status.model},     {"created", status.created},
  };
  if (status.state == RequestState::Queued) {
    object["position"] = status.position;
    object["expected_seconds"] = static_cast<double>(status.expected_wait.count()) / 1000;
    if (status.loading) object["loading"] = loading_object(*status.loading);
  }
  if (status.state == RequestState::Running) {
    object["step"] = status.step;
    object["step_count"] = status.step_count;
  }
  if (status.state == RequestState::Completed) {
    json::array data;
    for (const auto& url : status.urls) data.push_back(json::object{{"url", url}});
    object["data"] = std::move(data);
  }
  if (status.error) object["error"] = error_object(*status.error);
  return object;
}

http::Response answer(Services& services, const http::Exchange& exchange, const CallContext& call) {
  const std::string id(exchange.path_parameter("id"));
  if (const auto status = services.requests.find(id, call.owner())) {
    return json_response(describe_status(*status));
  }
  return error_response(
      Error{.kind = ErrorKind::NotFound,
            .message = "no such request; finished ones are forgotten after a while",
            .code = "request_not_found"},
      call.error_context_of_no_picture());
}

}  // namespace

void add_requests_routes(http::RouteTable& routes, Services& services) {
  routes.add({.method = "GET",
              .pattern = "/v1/images/requests/{id}",
              .handler = [&services](std::shared_ptr<http::Exchange> exchange) {
                const auto call = read_call(*exchange, Dialect::Bifrost, Operation::Generation, {});
                exchange->respond(answer(services, *exchange, call));
              }});
  routes.add({.method = "POST",
              .pattern = "/v1/images/requests/{id}/cancel",
              .handler = [&services](std::shared_ptr<http::Exchange> exchange) {
                const auto call = read_call(*exchange, Dialect::Bifrost, Operation::Generation, {});
                services.requests.cancel(std::string(exchange->path_parameter("id")), call.owner());
                exchange->respond(answer(services, *exchange, call));
              }});
}

}  // namespace limner::api
