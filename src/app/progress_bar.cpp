#include "app/progress_bar.hpp"

#include <cstdio>
#include <string>

#include <fmt/format.h>
#include <unistd.h>

namespace limner::app {

ProgressBar::ProgressBar(bool is_quiet)
    : is_shown_(!is_quiet && isatty(STDERR_FILENO) == 1),
      started_at_(std::chrono::steady_clock::now()) {}

ProgressBar::~ProgressBar() {
  if (is_shown_) fmt::print(stderr, "\r\033[K");
}

void ProgressBar::show(int step, int step_count) {
  if (!is_shown_ || step < 1 || step_count < 1) return;
  constexpr int kWidth = 30;
  const std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - started_at_;
  const double seconds_per_step = elapsed.count() / step;
  const auto filled = static_cast<std::size_t>(kWidth * step / step_count);
  fmt::print(stderr, "\r[{}{}] {}/{}  {:.2f} s/step  {:.0f} s left\033[K", std::string(filled, '#'),
             std::string(kWidth - filled, '.'), step, step_count, seconds_per_step,
             seconds_per_step * (step_count - step));
  std::fflush(stderr);
}

}  // namespace limner::app
