// The small grammars inside multipart/form-data: the boundary parameter and a part's head.
#pragma once

#include <string>
#include <string_view>

#include "base/result.hpp"
#include "http/part.hpp"

namespace limner::http {

// The boundary of a Content-Type value, 1 to 70 characters of RFC 2046.
Result<std::string> multipart_boundary(std::string_view content_type);

// The header fields of a part, without the empty line. The part has no content yet. Names come as
// browsers send them (%22 for a quote) or as curl does (\").
Result<Part> parse_part_head(std::string_view head);

}  // namespace limner::http
