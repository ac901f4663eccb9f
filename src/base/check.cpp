#include "base/check.hpp"

#include <cstdio>
#include <cstdlib>

#include <poll.h>

namespace limner {

void check_failed(std::string_view expression, std::string_view file, int line,
                  std::string_view note) {
  // A reader of stderr that stopped reading must not keep the process from ending.
  pollfd asked{.fd = 2, .events = POLLOUT, .revents = 0};
  if (::poll(&asked, 1, 1'000) <= 0) std::abort();
  std::fprintf(stderr, "limner: bug at %.*s:%d: %.*s does not hold %.*s\n",
               static_cast<int>(file.size()), file.data(), line,
               static_cast<int>(expression.size()), expression.data(),
               static_cast<int>(note.size()), note.data());
  std::abort();
}

}  // namespace limner
