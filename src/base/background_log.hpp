// The log of a server: nobody waits for whoever reads it.
#pragma once

#include <chrono>
#include <cstddef>
#include <memory>

namespace limner::log {

struct BackgroundOptions {
  int descriptor = 2;
  std::size_t lines_max = 4'096;  // that wait; then the oldest are lost, and counted
  std::chrono::milliseconds last_wait_max{1'000};  // for what is left at the end
};

// As long as it lives, lines are written by a thread of their own: whoever logs never waits for the
// reader of stderr, who may have stopped reading. A line says how many were lost. Made by the main
// thread when nobody else logs yet, and ended likewise.
class Background {
 public:
  explicit Background(BackgroundOptions options = {});
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;
  ~Background();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace limner::log
