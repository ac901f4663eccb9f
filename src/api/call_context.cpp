#include "api/call_context.hpp"

#include <algorithm>
#include <any>
#include <utility>

#include "base/ids.hpp"
#include "base/text.hpp"

namespace limner::api {
namespace {

bool is_id_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
         c == '_' || c == ':' || c == '-';
}

bool is_true(const http::Request& request, std::string_view name) {
  return request.header(name).value_or("") == "true";
}

// The first `wait` among the preferences of all Prefer fields. One that is no number is none, as
// RFC 7240 asks.
std::optional<std::chrono::seconds> preferred_wait(const http::Request& request) {
  for (std::string_view list : request.headers.get_all("prefer")) {
    while (!list.empty()) {
      const auto comma = std::min(list.find(','), list.size());
      const auto item = list.substr(0, comma);
      const auto preference = trim(item.substr(0, item.find(';')));
      list.remove_prefix(std::min(comma + 1, list.size()));
      const auto equals = preference.find('=');
      if (equals == preference.npos) continue;
      if (!equals_ignoring_case(trim(preference.substr(0, equals)), "wait")) continue;
      const auto seconds = parse_number<std::uint32_t>(trim(preference.substr(equals + 1)));
      if (!seconds) return std::nullopt;
      return std::chrono::seconds{*seconds};
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> given_request_id(const http::Request& request) {
  const auto given = request.header("x-request-id").value_or("");
  const bool is_good =
      !given.empty() && given.size() <= 128 && std::ranges::all_of(given, is_id_character);
  return is_good ? std::optional<std::string>(given) : std::nullopt;
}

CallContext read_call(const http::Exchange& exchange, Dialect dialect, Operation operation,
                      std::string base_url) {
  const auto& request = exchange.request();
  CallContext call{.dialect = dialect, .operation = operation};
  call.job_id = random_id("req_");
  call.request_id = given_request_id(request).value_or(call.job_id);
  if (const auto* principal = std::any_cast<auth::Principal>(&exchange.context())) {
    call.principal = *principal;
  }
  call.model_of_path = exchange.path_parameter("model");
  call.model_requested = call.model_of_path;
  call.turn_owner = call.principal && !call.principal->is_anonymous() ? call.principal->id
                                                                      : request.remote_address;
  call.base_url = std::move(base_url);
  call.is_strict = is_true(request, "x-bf-strict");
  call.wants_progress = request.headers.has_token("x-limner-events", "progress");
  call.keeps_result = is_true(request, "x-limner-keep");
  call.model_wait_max = preferred_wait(request);
  call.idempotency_key = request.header("idempotency-key").value_or("");
  return call;
}

}  // namespace limner::api
