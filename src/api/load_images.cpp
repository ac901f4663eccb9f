#include "api/load_images.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/text.hpp"
#include "codec/pixels.hpp"
#include "codec/resize.hpp"
#include "http/url.hpp"

namespace limner::api {
namespace {

// Codecs name no field: they do not know which it was.
Error with_field(Error error, const std::string& field) {
  error.message = fmt::format("{}: {}", field, error.message);
  error.param = field;
  return error;
}

Result<std::vector<std::uint8_t>> read_base64(std::string_view text, const std::string& field) {
  auto bytes = base64_decode(text);
  if (!bytes) return with_field(bytes.error(), field);
  return bytes;
}

// RFC 2397: "data:image/png;base64,iVBO…", "data:image/png,%89PNG…", words in any case.
Result<std::vector<std::uint8_t>> read_data_url(std::string_view url, const std::string& field) {
  const auto comma = std::min(url.find(','), url.size());
  auto data = url.substr(std::min(comma + 1, url.size()));
  const bool is_escaped = data.find('%') != data.npos;
  std::string plain;
  if (is_escaped) {
    plain = http::percent_decode_bytes(data);
    data = plain;
  }
  const auto head = ascii_lower(trim(url.substr(0, comma)));
  if (head.ends_with(";base64")) return read_base64(data, field);
  if (is_escaped) return std::vector<std::uint8_t>(data.begin(), data.end());
  return invalid_value(field, fmt::format("{}: a data URL must be data:image/…;base64,…", field),
                       "invalid_image");
}

Result<std::vector<std::uint8_t>> read_text(std::string_view text, const std::string& field,
                                            const http::Fetcher* fetcher) {
  text = trim(text, " \t\r\n");
  if (starts_with_ignoring_case(text, "data:")) return read_data_url(text, field);
  if (starts_with_ignoring_case(text, "http://") || starts_with_ignoring_case(text, "https://")) {
    if (fetcher == nullptr) {
      return invalid_value(field, fmt::format("{}: addresses are not fetched here", field),
                           "remote_image_not_allowed");
    }
    auto bytes = fetcher->fetch(std::string(text));
    if (!bytes) return with_field(bytes.error(), field);
    return bytes;
  }
  return read_base64(text, field);
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
  Mask mask =
      has_transparency(*image) ? mask_of_alpha(*image) : Mask{.grey = codec::to_grey(*image)};
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
  // On white: the colours that a file keeps under transparent pixels are nobody's.
  LoadedImages loaded{.image = codec::flatten_alpha(*pixels), .mask = std::nullopt};
  if (mask != nullptr) {
    auto loaded_mask = load_mask(*mask, pixels->size, options.mask_size, limits);
    if (!loaded_mask) return loaded_mask.error();
    loaded.mask = *std::move(loaded_mask);
    return loaded;
  }
  if (options.repaints_hole && has_transparency(*pixels)) {
    loaded.mask = mask_of_alpha(*pixels);
    return loaded;
  }
  const bool is_outpainting = options.edit_type == EditType::Outpainting;
  if (!is_outpainting && options.edit_type != EditType::Inpainting) return loaded;
  if (is_outpainting && options.canvas && is_larger(*options.canvas, pixels->size, limits)) {
    return on_canvas(loaded.image, *options.canvas);
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
