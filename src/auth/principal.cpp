#include "auth/principal.hpp"

#include <algorithm>

#include <fmt/format.h>

namespace limner::auth {

bool Principal::may_use(std::string_view model) const {
  return models.empty() || std::find(models.begin(), models.end(), model) != models.end();
}

Result<void> Principal::check_model(std::string_view model) const {
  if (may_use(model)) return {};
  return Error{.kind = ErrorKind::PermissionDenied,
               .message = fmt::format("this API key may not use the model \"{}\"", model),
               .param = "model",
               .code = "model_blocked"};
}

}  // namespace limner::auth
