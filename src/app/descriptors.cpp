#include "app/descriptors.hpp"

#include <algorithm>

#include <sys/resource.h>

#include "base/log.hpp"

namespace limner::app {
namespace {

constexpr std::size_t kOwn = 64;           // files, devices and pipes of the process itself
constexpr std::size_t kPerConnection = 2;  // its socket, and a file that it sends or receives

}  // namespace

std::size_t connections_possible(std::size_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  const rlim_t needed = wanted * kPerConnection + kOwn;
  if (limit.rlim_cur < needed) {
    limit.rlim_cur = std::min(needed, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) ::getrlimit(RLIMIT_NOFILE, &limit);
  }
  if (limit.rlim_cur >= needed) return wanted;
  const std::size_t left = limit.rlim_cur > kOwn ? limit.rlim_cur - kOwn : 0;
  const std::size_t possible = std::max<std::size_t>(left / kPerConnection, 1);
  log::warn("{} connections at once instead of {}: the process may have {} descriptors (ulimit -n)",
            possible, wanted, limit.rlim_cur);
  return possible;
}

}  // namespace limner::app
