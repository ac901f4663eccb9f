// The three ways an image file is refused. `detail` goes to the log, never to the client.
#pragma once

#include <string>
#include <utility>

#include "base/error.hpp"

namespace limner::codec {

inline Error unsupported_image(std::string message) {
  return invalid_value("", std::move(message), "unsupported_image");
}

inline Error image_too_large(std::string message) {
  return invalid_value("", std::move(message), "image_too_large");
}

inline Error invalid_image(std::string message, std::string detail = {}) {
  Error error = invalid_value("", std::move(message), "invalid_image");
  error.detail = std::move(detail);
  return error;
}

}  // namespace limner::codec
