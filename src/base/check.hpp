// Our own bugs stop the process, in release builds too; no input may reach one.
#pragma once

#include <string_view>

namespace limner {

[[noreturn]] void check_failed(std::string_view expression, std::string_view file, int line,
                               std::string_view note = {});

}  // namespace limner

#define LIMNER_CHECK(condition, ...)                                                     \
  do {                                                                                   \
    if (!(condition))                                                                    \
      ::limner::check_failed(#condition, __FILE__, __LINE__ __VA_OPT__(, ) __VA_ARGS__); \
  } while (false)
