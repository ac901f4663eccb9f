// A whole answer, and what it promises to find again.
#pragma once

#include <string>
#include <vector>

#include "http/response.hpp"

namespace limner::api {

struct Answer {
  http::Response response;
  // Pictures that it gives urls of: the answer is true for as long as they are kept.
  std::vector<std::string> blob_ids = {};
};

}  // namespace limner::api
