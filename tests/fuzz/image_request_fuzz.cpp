// A JSON body → an ImageRequest: refused with a readable error, or within every limit. The first
// byte chooses dialect, operation and strictness.
#include <cstdint>
#include <string_view>

#include "api/read_image_request.hpp"
#include "base/check.hpp"
#include "base/utf8.hpp"

namespace {

using namespace limner;
using namespace limner::api;

ReadOptions options_of(std::uint8_t choice, const Limits& limits) {
  constexpr Dialect kDialects[] = {Dialect::Bifrost, Dialect::OpenAi, Dialect::Ovms,
                                   Dialect::Nebula};
  constexpr Operation kOperations[] = {Operation::Generation, Operation::Edit,
                                       Operation::Variation};
  return {.dialect = kDialects[choice % 4],
          .operation = kOperations[choice / 4 % 3],
          .is_strict = (choice & 0x80U) != 0,
          .limits = &limits};
}

// What a client reads must be text, whatever it sent.
void check_refused(const Error& error) {
  LIMNER_CHECK(!error.message.empty() && is_valid_utf8(error.message));
  LIMNER_CHECK(is_valid_utf8(error.param) && is_valid_utf8(error.code));
  LIMNER_CHECK(error.message.size() <= 4096, "an error repeats what came");
}

void check_accepted(const ImageRequest& request, const Limits& limits) {
  LIMNER_CHECK(is_valid_utf8(request.prompt.text) && is_valid_utf8(request.prompt.negative));
  const int count = request.image_count.value_or(1);
  LIMNER_CHECK(count >= 1 && count <= limits.images_per_request_max);
  const int steps = request.num_inference_steps.value_or(1);
  LIMNER_CHECK(steps >= 1 && steps <= limits.steps_max);
  const double guidance = request.guidance_scale.value_or(0);
  LIMNER_CHECK(guidance >= 0 && guidance <= 100);
  const double strength = request.strength.value_or(0);
  LIMNER_CHECK(strength >= 0 && strength <= 1);
  LIMNER_CHECK(request.partial_images <= limits.partial_images_max);
  LIMNER_CHECK(!request.mask || !request.images.empty(), "a mask without a picture");
  if (request.size) LIMNER_CHECK(request.size->width_px >= 1 && request.size->height_px >= 1);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  const Limits limits;
  auto fields = FieldReader::from_json({reinterpret_cast<const char*>(data) + 1, size - 1});
  if (!fields) {
    check_refused(fields.error());
    return 0;
  }
  const auto request = read_image_request(*fields, {}, options_of(data[0], limits));
  if (request) {
    check_accepted(*request, limits);
  } else {
    check_refused(request.error());
  }
  return 0;
}
