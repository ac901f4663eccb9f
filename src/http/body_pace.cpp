#include "http/body_pace.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "http/body_budget.hpp"

namespace limner::http {
namespace {

constexpr std::chrono::seconds kWindow{10};
constexpr std::size_t kStrainedBytesPerSecond = 32u << 10;

Error too_slow(std::string message) {
  return {.kind = ErrorKind::RequestTimeout,
          .message = "the request's body " + std::move(message),
          .code = "request_timeout"};
}

}  // namespace

BodyPace::BodyPace(const Timeouts& timeouts, TimePoint started)
    : timeouts_(timeouts), started_(started), last_progress_(started), window_begin_(started) {}

std::optional<Error> BodyPace::check(std::size_t size, bool is_strained, TimePoint now) {
  if (size > size_) last_progress_ = now;
  size_ = size;
  const bool is_slow = is_slow_in_window(size, is_strained, now);
  if (now >= started_ + timeouts_.body) {
    return too_slow(fmt::format("did not arrive within {} ms", timeouts_.body.count()));
  }
  if (is_slow) return too_slow("arrived too slowly while the server has many to receive");
  if (now >= deadline()) {
    return too_slow(fmt::format("arrived too slowly, at less than {} bytes a second",
                                timeouts_.body_bytes_per_second_min));
  }
  return std::nullopt;
}

bool BodyPace::is_slow_in_window(std::size_t size, bool is_strained, TimePoint now) {
  if (now < window_begin_ + kWindow) return false;
  const std::size_t came = size - window_size_;
  window_begin_ = now;
  window_size_ = size;
  constexpr std::size_t kNeeded = kStrainedBytesPerSecond * kWindow.count();
  return is_strained && size > BodyBudget::kSmallBytes && came < kNeeded;
}

// A sender may be silent for the stall time, but on the whole it has a rate to keep.
TimePoint BodyPace::deadline() const {
  const std::chrono::seconds earned(size_ / timeouts_.body_bytes_per_second_min);
  return std::min({started_ + timeouts_.body, started_ + timeouts_.body_grace + earned,
                   last_progress_ + timeouts_.stall});
}

TimePoint BodyPace::next_check() const {
  return std::min(deadline(), window_begin_ + kWindow);
}

}  // namespace limner::http
