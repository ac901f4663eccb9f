// Base64 and data URLs: what is decoded encodes to the same again, a picture's header is read
// from it or refused, and no address is fetched.
#include <cstdint>
#include <string>
#include <string_view>

#include "api/load_images.hpp"
#include "base/base64.hpp"
#include "base/check.hpp"
#include "base/utf8.hpp"

using namespace limner;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  if (const auto bytes = base64_decode(text)) {
    const auto again = base64_decode(base64_encode(*bytes));
    LIMNER_CHECK(again && *again == *bytes, "base64 does not come back");
  }
  const Limits limits;
  const auto opened =
      api::OpenedImage::open({.field = "image", .content = std::string(text)}, limits);
  if (opened) {
    const auto pixels = opened->header().size;
    LIMNER_CHECK(pixels.width_px >= 1 && pixels.height_px >= 1);
  } else {
    LIMNER_CHECK(is_valid_utf8(opened.error().message) && opened.error().message.size() <= 4096);
  }
  return 0;
}
