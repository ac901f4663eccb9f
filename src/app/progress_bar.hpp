// One line on a terminal that shows how far a picture is. Silent where stderr is no terminal.
#pragma once

#include <chrono>

namespace limner::app {

class ProgressBar {
 public:
  explicit ProgressBar(bool is_quiet);
  // Clears the line.
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void show(int step, int step_count);

 private:
  const bool is_shown_;
  const std::chrono::steady_clock::time_point started_at_;
};

}  // namespace limner::app
