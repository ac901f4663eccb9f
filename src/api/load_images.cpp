#include "api/load_images.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "codec/resize.hpp"

namespace limner::api {
namespace {

// Codecs name no field: they do not know which it was.
Error with_field(Error error, const std::string& field) {
  error.message = fmt::format("{}: {}", field, error.message);
  error.param = field;
  return error;
}

// "data:image/png;base64,…" → what follows the comma. Anything else as it is.
Result<std::string_view> strip_data_url(std::string_view text, const std::string& field) {
  if (!text.starts_with("data:")) return text;
  const auto comma = text.find(',');
  if (comma == text.npos || !text.substr(0, comma).ends_with(";base64")) {
    return invalid_value(field, fmt::format("{}: a data URL must be data:image/…;base64,…", field),
                         "invalid_image");
  }
  return text.substr(comma + 1);
}

Result<std::vector<std::uint8_t>> read_text(const std::string& text, const std::string& field,
                                            const http::Fetcher* fetcher) {
  if (text.starts_with("http://") || text.starts_with("https://")) {
    if (fetcher == nullptr) {
      return invalid_value(field, fmt::format("{}: addresses are not fetched here", field),
                           "remote_image_not_allowed");
    }
    auto bytes = fetcher->fetch(text);
    if (!bytes) return with_field(bytes.error(), field);
    return bytes;
  }
  auto base64 = strip_data_url(text, field);
  if (!base64) return base64.error();
  auto bytes = base64_decode(*base64);
  if (!bytes) return with_field(bytes.error(), field);
  return bytes;
}

Image to_rgb(const Image& image) {
  if (image.channels == 3) return image;
  Image rgb = Image::blank(image.size, 3);
  const auto channels = static_cast<std::size_t>(image.channels);
  const std::size_t count = rgb.pixels.size() / 3;
  for (std::size_t i = 0; i < count; ++i) {
    std::copy_n(&image.pixels[i * channels], 3, &rgb.pixels[i * 3]);
  }
  return rgb;
}

bool has_transparency(const Image& image) {
  if (image.channels != 4) return false;
  for (std::size_t i = 3; i < image.pixels.size(); i += 4) {
    if (image.pixels[i] < 255) return true;
  }
  return false;
}

// 255 where it is transparent.
Mask mask_of_alpha(const Image& image) {
  Image grey = Image::blank(image.size, 1);
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    grey.pixels[i] = static_cast<std::uint8_t>(255 - image.pixels[i * 4 + 3]);
  }
  return {.grey = std::move(grey)};
}

// 255 where it is white: Rec. 601 luma, as Pillow's conversion to L computes it.
Mask mask_of_luminance(const Image& image) {
  Image grey = Image::blank(image.size, 1);
  const auto channels = static_cast<std::size_t>(image.channels);
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    const auto* px = &image.pixels[i * channels];
    grey.pixels[i] = static_cast<std::uint8_t>(
        (px[0] * 19595U + px[1] * 38470U + px[2] * 7471U + 0x8000U) >> 16U);
  }
  return {.grey = std::move(grey)};
}

bool is_empty(const Mask& mask) {
  return std::ranges::all_of(mask.grey.pixels, [](auto value) { return value == 0; });
}

Result<Mask> load_mask(const OpenedImage& file, ImageSize image_size, Fit fit,
                       const Limits& limits) {
  const auto& field = file.field();
  if (file.header().size != image_size && fit == Fit::Refuse) {
    return invalid_value(field,
                         fmt::format("{}: got {}, expected the size of the picture, {}", field,
                                     to_string(file.header().size), to_string(image_size)));
  }
  auto image = file.decode(limits);
  if (!image) return image.error();
  Mask mask = has_transparency(*image) ? mask_of_alpha(*image) : mask_of_luminance(*image);
  if (is_empty(mask)) {
    return invalid_value(field,
                         fmt::format("{}: marks nothing; what is transparent, or else white, is "
                                     "repainted",
                                     field),
                         "empty_mask");
  }
  if (mask.grey.size != image_size) {
    mask.grey = codec::resize(mask.grey, image_size, codec::ResizeFilter::Nearest);
  }
  return mask;
}

bool is_larger(ImageSize canvas, ImageSize image, const Limits& limits) {
  const bool holds = canvas.width_px >= image.width_px && canvas.height_px >= image.height_px;
  const auto pixels =
      static_cast<std::size_t>(canvas.width_px) * static_cast<std::size_t>(canvas.height_px);
  return holds && canvas != image && pixels <= limits.decoded_pixels_max;
}

// The picture in the middle of a larger one, its edges drawn out to the border: what is repainted
// begins from colours that fit.
LoadedImages on_canvas(const Image& image, ImageSize canvas) {
  LoadedImages loaded{.image = Image::blank(canvas, 3),
                      .mask = Mask{.grey = Image::blank(canvas, 1, 255)}};
  const int left = (canvas.width_px - image.size.width_px) / 2;
  const int top = (canvas.height_px - image.size.height_px) / 2;
  for (int y = 0; y < canvas.height_px; ++y) {
    const int from_y = std::clamp(y - top, 0, image.size.height_px - 1);
    for (int x = 0; x < canvas.width_px; ++x) {
      const int from_x = std::clamp(x - left, 0, image.size.width_px - 1);
      std::copy_n(image.row(from_y) + from_x * 3, 3, loaded.image.row(y) + x * 3);
      if (from_x == x - left && from_y == y - top) loaded.mask->grey.row(y)[x] = 0;
    }
  }
  return loaded;
}

}  // namespace

Result<OpenedImage> OpenedImage::open(ImageInput input, const Limits& limits,
                                      const http::Fetcher* fetcher) {
  OpenedImage opened;
  opened.field_ = std::move(input.field);
  if (auto* part = std::get_if<http::PartContent>(&input.content)) {
    opened.part_ = std::move(*part);
  } else {
    auto bytes = read_text(std::get<std::string>(input.content), opened.field_, fetcher);
    if (!bytes) return bytes.error();
    opened.decoded_base64_ = *std::move(bytes);
  }
  if (opened.bytes().empty()) {
    return invalid_value(opened.field_, fmt::format("{}: the picture is empty", opened.field_),
                         "invalid_image");
  }
  if (opened.bytes().size() > limits.multipart_part_bytes_max) {
    return Error{.kind = ErrorKind::TooLarge,
                 .message = fmt::format("{}: {} bytes, at most {} are allowed", opened.field_,
                                        opened.bytes().size(), limits.multipart_part_bytes_max),
                 .param = opened.field_};
  }
  auto header = codec::read_header(
      opened.bytes(), {.side_px_max = limits.side_px_max, .pixels_max = limits.decoded_pixels_max});
  if (!header) return with_field(header.error(), opened.field_);
  opened.header_ = *header;
  return opened;
}

std::span<const std::uint8_t> OpenedImage::bytes() const {
  return decoded_base64_.empty() ? part_.bytes() : std::span(decoded_base64_);
}

Result<Image> OpenedImage::decode(const Limits& limits) const {
  auto image = codec::decode_image(
      bytes(), {.side_px_max = limits.side_px_max, .pixels_max = limits.decoded_pixels_max});
  if (!image) return with_field(image.error(), field_);
  return image;
}

Result<LoadedImages> load_images(const OpenedImage& image, const OpenedImage* mask,
                                 const LoadOptions& options, const Limits& limits) {
  auto pixels = image.decode(limits);
  if (!pixels) return pixels.error();
  if (mask != nullptr) {
    auto loaded_mask = load_mask(*mask, pixels->size, options.mask_size, limits);
    if (!loaded_mask) return loaded_mask.error();
    return LoadedImages{.image = to_rgb(*pixels), .mask = *std::move(loaded_mask)};
  }
  const bool is_outpainting = options.edit_type == EditType::Outpainting;
  if (!is_outpainting && options.edit_type != EditType::Inpainting) {
    return LoadedImages{.image = to_rgb(*pixels), .mask = std::nullopt};
  }
  if (has_transparency(*pixels)) {
    return LoadedImages{.image = to_rgb(*pixels), .mask = mask_of_alpha(*pixels)};
  }
  if (is_outpainting && options.canvas && is_larger(*options.canvas, pixels->size, limits)) {
    return on_canvas(to_rgb(*pixels), *options.canvas);
  }
  return invalid_value("mask",
                       is_outpainting
                           ? "mask: required for outpainting, unless the picture has transparent "
                             "parts or size is larger than the picture"
                           : "mask: required for inpainting, unless the picture has transparent "
                             "parts to repaint",
                       "missing_required_parameter");
}

void add_pictures(const LoadedImages& loaded, GenerationRequest& request) {
  const auto fit = [&](const Image& image) {
    return codec::resize(image, request.size, codec::ResizeFilter::Lanczos);
  };
  request.init_image = std::make_shared<const Image>(fit(loaded.image));
  if (loaded.mask)
    request.mask = std::make_shared<const Mask>(Mask{.grey = fit(loaded.mask->grey)});
}

}  // namespace limner::api
