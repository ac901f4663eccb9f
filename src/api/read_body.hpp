// A request's body → its fields, whatever its media type.
#pragma once

#include <vector>

#include "api/field_reader.hpp"
#include "api/form_fields.hpp"
#include "http/request.hpp"

namespace limner::api {

struct Fields {
  FieldReader reader;
  std::vector<FormFile> files;
};

// As JSON or as a form; without a body, a GET may put the fields into its query.
Result<Fields> read_fields(const http::Request& request, http::Body body);

}  // namespace limner::api
