#include "auth/head_hooks.hpp"

#include <any>
#include <utility>

#include "auth/credentials.hpp"
#include "base/text.hpp"

namespace limner::auth {
namespace {

Error needs_key_for_get() {
  return {.kind = ErrorKind::PermissionDenied,
          .message =
              "GET paints only with a key (any will do, this server asks for none): any web "
              "page can show a picture's address; use POST, or let the operator allow it "
              "with --paint-by-get",
          .code = "get_not_allowed"};
}

// The browser adds a remembered user name and password by itself, to other pages' requests too.
bool may_be_added_by_browser(const http::Headers& headers) {
  for (const auto value : headers.get_all("Authorization")) {
    if (starts_with_ignoring_case(value, "Basic ")) return true;
  }
  return false;
}

bool shows_a_key(const http::Headers& headers) {
  const auto shown = read_credentials(headers);
  return !shown || !shown->keys.empty();
}

Result<Principal> check_head(const HeadRules& rules, const http::Request& head,
                             bool paints_by_get) {
  const auto open = rules.authenticator->is_open();
  if (!open) return open.error();
  if (*open) {
    if (auto ours = rules.web->check_host(head); !ours) return ours.error();
  }
  if (*open || may_be_added_by_browser(head.headers)) {
    if (auto ours = rules.web->check_page(head); !ours) return ours.error();
  }
  if (*open && paints_by_get && !rules.paints_by_get && !shows_a_key(head.headers)) {
    return needs_key_for_get();
  }
  return rules.authenticator->authenticate(head.headers);
}

}  // namespace

HeadHooks make_head_hooks(const HeadRules& rules, const http::ErrorFormatter& format_error) {
  const auto authenticate = [&](bool paints_by_get) {
    return [rules, format_error, paints_by_get](const http::Request& head) {
      auto principal = check_head(rules, head, paints_by_get);
      if (!principal) return http::HeadDecision(format_error(principal.error(), head));
      return http::HeadDecision(std::any(std::move(*principal)));
    };
  };
  const auto check_host = [rules, format_error](const http::Request& head) {
    const auto open = rules.authenticator->is_open();
    const auto allowed = !open   ? Result<void>(open.error())
                         : *open ? rules.web->check_host(head)
                                 : Result<void>();
    if (!allowed) return http::HeadDecision(format_error(allowed.error(), head));
    return http::HeadDecision(std::any());
  };
  return {.authenticate = authenticate(false),
          .authenticate_get = authenticate(true),
          .check_host = check_host};
}

}  // namespace limner::auth
