// The parts of a form, as one object of texts and a list of files.
#pragma once

#include <string>
#include <vector>

#include "base/json.hpp"
#include "base/result.hpp"
#include "http/part.hpp"
#include "http/request.hpp"

namespace limner::api {

struct FormFile {
  std::string name;  // "image", "image[]" and "image[0]" are all "image"
  http::PartContent content;
};

struct Form {
  // Leaves are strings. SDKs write lists as `a[]`, objects as `a[b]`, lists of objects as
  // `a[][b]`; a name that comes twice is a list too.
  json::object texts;
  std::vector<FormFile> files;
};

Result<Form> read_form(std::vector<http::Part> parts);

// Query parameters in the same shape.
Result<json::object> read_query(const std::vector<http::QueryParameter>& query);

}  // namespace limner::api
