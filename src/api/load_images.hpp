// Pictures of a request → pixels. In two steps, since the model's size rules need the dimensions
// before anything is decoded.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "api/image_request.hpp"
#include "base/result.hpp"
#include "codec/decode.hpp"
#include "core/image.hpp"
#include "core/limits.hpp"
#include "http/fetcher.hpp"

namespace limner::api {

// One upload: its bytes, wherever they lie, and what its header says.
class OpenedImage {
 public:
  // Undoes base64 or fetches an address, and reads the header. Errors name the input's field.
  // Without a fetcher addresses are refused.
  static Result<OpenedImage> open(ImageInput input, const Limits& limits,
                                  const http::Fetcher* fetcher = nullptr);

  const std::string& field() const { return field_; }
  const codec::ImageHeader& header() const { return header_; }
  Result<Image> decode(const Limits& limits) const;

 private:
  std::span<const std::uint8_t> bytes() const;

  std::string field_;
  http::PartContent part_;
  std::vector<std::uint8_t> decoded_base64_;
  codec::ImageHeader header_;
};

// The first picture of an edit and what to repaint of it, both in its own size.
struct LoadedImages {
  Image image;  // RGB, on white where it was transparent
  std::optional<Mask> mask;
};

struct LoadOptions {
  EditType edit_type = EditType::Auto;
  // Without a mask, the transparent part of the picture is one.
  bool repaints_hole = false;
  // Outpainting without a mask or transparency: the picture is laid in the middle of this size.
  std::optional<ImageSize> canvas = std::nullopt;
  Fit mask_size = Fit::Refuse;  // a mask of another size than the picture
};

// Makes the mask by one rule on every dialect: transparent is repainted when there is any
// transparency, else white. `mask` may be null.
Result<LoadedImages> load_images(const OpenedImage& image, const OpenedImage* mask,
                                 const LoadOptions& options, const Limits& limits);

// Into the request, at the size that will be painted.
void add_pictures(const LoadedImages& loaded, GenerationRequest& request);

}  // namespace limner::api
