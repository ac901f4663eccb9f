// An image file of one format, LIMNER_FUZZ_FORMAT: its magic is written over the first bytes, so
// that no time is lost on files nobody would decode.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include "decode_check.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace std::string_view_literals;
  std::vector<std::uint8_t> bytes(data, data + size);
  const auto put = [&](std::size_t offset, std::string_view magic) {
    if (bytes.size() >= offset + magic.size()) {
      std::copy(magic.begin(), magic.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
    }
  };
  const auto format = std::string_view(LIMNER_FUZZ_FORMAT);
  if (format == "png"sv) put(0, "\x89PNG\r\n\x1a\n"sv);
  if (format == "jpeg"sv) put(0, "\xff\xd8\xff"sv);
  if (format == "webp"sv) {
    put(0, "RIFF"sv);
    put(8, "WEBP"sv);
  }
  limner::codec::check_decode(bytes);
  return 0;
}
