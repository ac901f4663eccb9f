#include "http/client/call.hpp"

namespace limner::http {

SharedBytes shared_bytes(std::string text) {
  auto owner = std::make_shared<const std::string>(std::move(text));
  const std::span bytes(reinterpret_cast<const std::uint8_t*>(owner->data()), owner->size());
  return {.owner = std::move(owner), .bytes = bytes};
}

std::string_view to_string(CallFailure failure) {
  switch (failure) {
    case CallFailure::Unreachable:
      return "unreachable";
    case CallFailure::Late:
      return "late";
    case CallFailure::Broken:
      return "broken";
    case CallFailure::Cancelled:
      return "cancelled";
  }
  return "";
}

}  // namespace limner::http
