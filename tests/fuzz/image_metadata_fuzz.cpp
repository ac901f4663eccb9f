// Settings read from a file are UTF-8 and no longer than the file could hold, whatever it says.
#include <cstdint>

#include "base/check.hpp"
#include "codec/exif.hpp"
#include "codec/metadata.hpp"
#include "codec/text.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace limner;
  using namespace limner::codec;
  const std::span<const std::uint8_t> bytes(data, size);
  (void)exif_orientation(bytes);
  (void)exif_user_comment(bytes);
  (void)exif_image_description(bytes);
  const auto metadata = read_metadata(bytes);
  if (!metadata) return 0;
  for (const auto& text : {metadata->parameters, metadata->json}) {
    LIMNER_CHECK(text.size() <= 3 * size);
    LIMNER_CHECK(to_valid_utf8(text) == text);
  }
  return 0;
}
