// What a file is by its first bytes, where it is not what its name or its place promises.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/result.hpp"

namespace limner {

// Of files that stand in the place of a model's: a git-lfs pointer, a web page, an archive, another
// format of weights. Says what it is and what to do: "is a git-lfs pointer, …". Empty where the
// bytes are none of these. The first 64 bytes of a file tell all but a page behind a long preamble.
std::optional<std::string> foreign_content(std::string_view begin);

// foreign_content as an error that names the file.
Result<void> check_content(std::string_view begin, std::string_view file);

}  // namespace limner
