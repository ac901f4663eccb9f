// What is known of a call from its head: who made it, how it is named, what its headers ask for.
#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "api/dialect.hpp"
#include "api/error_body.hpp"
#include "auth/principal.hpp"
#include "http/exchange.hpp"

namespace limner::api {

struct CallContext {
  Dialect dialect = Dialect::Bifrost;
  Operation operation = Operation::Generation;
  std::string job_id = {};                                  // ours, new for each call
  std::string request_id = {};                              // the client's own, or the job's
  std::optional<auth::Principal> principal = std::nullopt;  // absent: no key is asked for
  std::string model_of_path = {};                           // when the path names the model
  std::string model_requested = {};  // as sent, as soon as it is known; for errors
  std::string base_url = {};         // of this server, as the client reaches it: "http://host:8080"
  bool is_strict = false;
  bool wants_progress = false;
  bool keeps_result = false;
  // `Prefer: wait=N` (RFC 7240): how long the client waits for a model that is not in memory.
  std::optional<std::chrono::seconds> model_wait_max = std::nullopt;
  std::string idempotency_key = {};
  std::string turn_owner = {};  // who shares the queue with others: a key, else an address

  // Whose requests and stored answers these are.
  std::string owner() const { return principal ? principal->id : std::string(); }

  ErrorContext error_context() const {
    return {.dialect = dialect,
            .operation = operation,
            .request_id = request_id,
            .model_requested = model_requested};
  }
  // Of calls that are about models, requests, files.
  ErrorContext error_context_of_no_picture() const {
    return {.dialect = dialect, .request_id = request_id};
  }
};

// A client's x-request-id if it is 1 to 128 of [A-Za-z0-9._:-].
std::optional<std::string> given_request_id(const http::Request& request);

// `base_url` as of base_url_of().
CallContext read_call(const http::Exchange& exchange, Dialect dialect, Operation operation,
                      std::string base_url);

}  // namespace limner::api
