// A form parses to the same parts, or the same error, whole and in pieces. The first two bytes
// choose the size of the pieces and where parts spill.
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/check.hpp"
#include "http/multipart_head.hpp"
#include "http/multipart_parser.hpp"

namespace {

using limner::http::MultipartLimits;
using limner::http::MultipartParser;

std::string parse(std::string_view body, std::size_t piece_size, const MultipartLimits& limits) {
  MultipartParser parser("b", limits, std::filesystem::temp_directory_path());
  while (!body.empty()) {
    const auto pushed = parser.push(body.substr(0, piece_size));
    if (!pushed) return "error " + pushed.error().code;
    body.remove_prefix(std::min(piece_size, body.size()));
  }
  const auto parts = parser.finish();
  if (!parts) return "error " + parts.error().code;
  std::string text;
  for (const auto& part : *parts) {
    text.append(part.name).append("|").append(part.filename).append("|");
    text.append(part.content_type).append("|").append(part.content.text()).append("\n");
  }
  return text;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 2) return 0;
  const std::string_view body(reinterpret_cast<const char*>(data) + 2, size - 2);
  const MultipartLimits limits{.body_bytes_max = std::size_t{1} << 20,
                               .part_bytes_max = 4096,
                               .parts_max = 8,
                               .part_head_bytes_max = 512,
                               .spill_bytes = std::size_t{data[1]} * 16};
  const auto whole = parse(body, body.size(), limits);
  const auto pieces = parse(body, std::size_t{data[0]} + 1, limits);
  // Which of two faults is met first may depend on the pieces; that there is one may not.
  const bool is_same =
      whole == pieces || (whole.starts_with("error ") && pieces.starts_with("error "));
  LIMNER_CHECK(is_same, "the pieces of a form change its meaning");
  const auto boundary = limner::http::multipart_boundary(body);
  LIMNER_CHECK(!boundary || boundary->size() <= 70);
  return 0;
}
