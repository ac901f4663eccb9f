// The pictures of a request: files of a form, or texts in every shape known.
#pragma once

#include <vector>

#include "api/field_reader.hpp"
#include "api/form_fields.hpp"
#include "api/image_request.hpp"
#include "core/limits.hpp"

namespace limner::api {

// Fills `images` and `mask`. Errors go to the reader.
void read_images(FieldReader& fields, std::vector<FormFile> files, const Limits& limits,
                 ImageRequest& request);

}  // namespace limner::api
