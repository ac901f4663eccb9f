// An image file of one format, LIMNER_FUZZ_FORMAT: its magic is written over the first bytes, and
// the checksums of a PNG are made right, so that no time is lost on what is refused at once.
#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

#include <zlib.h>

#include "codec/byte_reader.hpp"
#include "decode_check.hpp"

namespace {

using namespace std::string_view_literals;
using namespace limner::codec;

void put(std::vector<std::uint8_t>& bytes, std::size_t offset, std::string_view text) {
  if (bytes.size() < offset + text.size()) return;
  std::copy(text.begin(), text.end(), bytes.begin() + static_cast<std::ptrdiff_t>(offset));
}

void correct_checksums(std::vector<std::uint8_t>& bytes) {
  std::size_t offset = 8;
  while (const auto length = read_u32(bytes, offset, ByteOrder::Big)) {
    const auto checked = slice(bytes, offset + 4, std::size_t{4} + *length);
    if (!checked || !slice(bytes, offset + 8 + *length, 4)) return;
    const auto sum = crc32(0, checked->data(), static_cast<uInt>(checked->size()));
    for (std::size_t i = 0; i < 4; ++i) {
      bytes[offset + 8 + *length + i] = static_cast<std::uint8_t>(sum >> (24 - 8 * i));
    }
    offset += 12 + std::size_t{*length};
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  std::vector<std::uint8_t> bytes(data, data + size);
  const auto format = std::string_view(LIMNER_FUZZ_FORMAT);
  if (format == "png"sv) {
    put(bytes, 0, "\x89PNG\r\n\x1a\n"sv);
    correct_checksums(bytes);
  }
  if (format == "jpeg"sv) put(bytes, 0, "\xff\xd8\xff"sv);
  if (format == "webp"sv) {
    put(bytes, 0, "RIFF"sv);
    put(bytes, 8, "WEBP"sv);
  }
  check_decode(bytes);
  return 0;
}
