// What is asked before a route's handler runs, from the head of the request alone.
#pragma once

#include <memory>

#include "auth/authenticator.hpp"
#include "auth/web_guard.hpp"
#include "http/route_table.hpp"
#include "http/server.hpp"

namespace limner::auth {

struct HeadHooks {
  // A Principal in Exchange::context(), or the error as `format_error` puts it. Without keys the
  // web guard decides.
  http::HeadHook authenticate;
  // The same for what paints by GET: no key must be right where none is asked for, but one must be
  // there, because pages cannot send one with a picture's address.
  http::HeadHook authenticate_get;
  // For what needs no key: only the name of the server.
  http::HeadHook check_host;
};

struct HeadRules {
  std::shared_ptr<const Authenticator> authenticator;
  std::shared_ptr<const WebGuard> web;
  bool paints_by_get = false;  // without any key too
};

HeadHooks make_head_hooks(const HeadRules& rules, const http::ErrorFormatter& format_error);

}  // namespace limner::auth
