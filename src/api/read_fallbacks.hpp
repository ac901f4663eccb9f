// `fallbacks`: models to try when the first cannot answer, in every shape that clients send.
#pragma once

#include <string>
#include <vector>

#include "api/field_reader.hpp"

namespace limner::api {

// "model", "provider/model", {"provider", "model"}, mixed; or, in a form, one JSON text of such a
// list. At most five. Errors go to the reader.
std::vector<std::string> read_fallbacks(FieldReader& fields);

}  // namespace limner::api
