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

// The model's name, if it is there and can be one: for errors, whatever else is wrong.
std::string model_named_in(Fields& fields);

// As JSON or as a form; without a body, a GET may put the fields into its query.
Result<Fields> read_fields(const http::Request& request, http::Body body);

}  // namespace limner::api
