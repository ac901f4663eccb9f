#include "codec/container.hpp"

namespace limner::codec {

Result<Container> read_container(Bytes bytes) {
  const auto format = sniff(bytes);
  if (!format) return format.error();
  switch (*format) {
    case ImageFormat::Png:
      return read_png_container(bytes);
    case ImageFormat::Jpeg:
      return read_jpeg_container(bytes);
    case ImageFormat::Webp:
      return read_webp_container(bytes);
  }
  return Error{};
}

}  // namespace limner::codec
