// How many connections the process has descriptors for.
#pragma once

#include <cstddef>

namespace limner::app {

// Raises the process's limit of descriptors as far as it may. `wanted`, or less where that is not
// enough, which is logged.
std::size_t connections_possible(std::size_t wanted);

}  // namespace limner::app
