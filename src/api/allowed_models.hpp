// The models that a call's key may use: all that it is shown, by lists and by errors.
#pragma once

#include <string_view>
#include <vector>

#include "api/call_context.hpp"
#include "api/painter.hpp"

namespace limner::api {

// In the order they are configured; the first is this key's default.
std::vector<ServedModel> allowed_models(const Painter& painter, const CallContext& call);

// As Painter::look_up: to show a model. One that the key may not use is as unknown as any other,
// and the error tells only those that it may.
Result<ServedModel> look_up_allowed(const Painter& painter, const CallContext& call,
                                    std::string_view name);
// As Painter::find: to paint with it. PermissionDenied, code model_blocked, for one that the key
// may not use.
Result<ServedModel> find_allowed(Painter& painter, const CallContext& call, std::string_view name);

}  // namespace limner::api
