#include "runtime/library_error.hpp"

#include <algorithm>
#include <array>
#include <new>
#include <system_error>
#include <utility>

namespace limner::runtime {
namespace {

constexpr std::chrono::seconds kRetryAfter{10};

constexpr std::array<std::string_view, 7> kWordsForNoMemory = {
    "bad_alloc",
    "out of memory",
    "out_of_memory",
    "Cannot allocate",
    "cannot allocate",
    "ot enough memory",
    "Resource temporarily unavailable",
};

}  // namespace

std::string reason_of(const std::exception& e) {
  std::string_view text = e.what();
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.remove_suffix(1);
  return std::string(text.substr(text.rfind('\n') + 1));
}

bool is_out_of_memory(const std::exception& e) {
  if (dynamic_cast<const std::bad_alloc*>(&e)) return true;
  if (const auto* failed = dynamic_cast<const std::system_error*>(&e)) {
    // Threads that cannot be started: their stacks, or their number.
    if (failed->code() == std::errc::not_enough_memory ||
        failed->code() == std::errc::resource_unavailable_try_again) {
      return true;
    }
  }
  const std::string_view text = e.what();
  return std::ranges::any_of(kWordsForNoMemory, [&](std::string_view words) {
    return text.find(words) != std::string_view::npos;
  });
}

Error library_error(std::string message, const std::exception& e) {
  if (is_out_of_memory(e)) {
    return {.kind = ErrorKind::Unavailable,
            .message = std::move(message) + ": out of memory",
            .code = "insufficient_memory",
            .retry_after = kRetryAfter,
            .detail = reason_of(e)};
  }
  return {.kind = ErrorKind::Internal, .message = std::move(message), .detail = reason_of(e)};
}

}  // namespace limner::runtime
