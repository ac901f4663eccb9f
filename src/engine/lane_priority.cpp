#include "engine/lane_priority.hpp"

#include <cerrno>
#include <cstring>

#include <sys/resource.h>
#include <unistd.h>

#include "base/log.hpp"

namespace limner::engine {

void lower_thread_priority(int niceness) {
  if (niceness == 0) return;
  // Linux keeps a nice value per thread, whatever POSIX says of processes.
  const auto thread = static_cast<id_t>(::gettid());
  if (::setpriority(PRIO_PROCESS, thread, niceness) != 0) {
    log::warn("painting runs at normal priority: {}", std::strerror(errno));
  }
}

}  // namespace limner::engine
