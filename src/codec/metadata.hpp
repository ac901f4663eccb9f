// How a picture was made, inside its file: the `parameters` text that stable-diffusion-webui and
// its relatives read, and the same facts as JSON text.
#pragma once

#include <cstdint>
#include <span>
#include <string>

#include "base/result.hpp"

namespace limner::codec {

// Both UTF-8 without NUL; empty: not there.
//   PNG   text chunks `parameters` and `limner` (tEXt when ASCII, else iTXt)
//   JPEG  parameters in EXIF UserComment if it fits one segment (about 32,000 characters); both
//         also in comments that begin with `parameters:` or `limner:`, split over several if long
//   WebP  EXIF: parameters in UserComment, JSON in ImageDescription
struct Metadata {
  std::string parameters = {};
  std::string json = {};
};

// Reads our own files, and `parameters` of other programs' files. No text is no error. Errors:
// those of read_header.
Result<Metadata> read_metadata(std::span<const std::uint8_t> bytes);

}  // namespace limner::codec
