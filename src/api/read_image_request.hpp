// Fields → ImageRequest, for every dialect: they share names, and differ in what they do with
// names that nobody knows.
#pragma once

#include <string>
#include <vector>

#include "api/field_reader.hpp"
#include "api/form_fields.hpp"
#include "api/image_request.hpp"
#include "core/limits.hpp"

namespace limner::api {

struct ReadOptions {
  Dialect dialect = Dialect::Bifrost;
  Operation operation = Operation::Generation;
  // Unknown names become errors although the dialect would ignore them.
  bool is_strict = false;
  // Of the path, when it names the model.
  std::string model_of_path = {};
  const Limits* limits = nullptr;
};

// `files` are the parts of a form; JSON bodies hold their pictures as text.
Result<ImageRequest> read_image_request(FieldReader& fields, std::vector<FormFile> files,
                                        const ReadOptions& options);

}  // namespace limner::api
