// Exceptions of libraries as Errors.
#pragma once

#include <exception>
#include <string>
#include <string_view>

#include "base/error.hpp"

namespace limner::runtime {

// The last line of OpenVINO's text is the reason; those before it are where in its source.
std::string reason_of(const std::exception& e);

// std::bad_alloc, or a library's own words for it: OpenVINO and oneDNN wrap it in types that say
// nothing.
bool is_out_of_memory(const std::exception& e);

// Internal, or Unavailable where memory ran out. The library's text is for the log alone (it may
// name files and addresses); `message` is for the client.
Error library_error(std::string message, const std::exception& e);

}  // namespace limner::runtime
