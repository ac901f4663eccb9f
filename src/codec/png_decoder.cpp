#include <csetjmp>
#include <cstring>
#include <string>
#include <vector>

#include <png.h>

#include "codec/decoders.hpp"
#include "codec/errors.hpp"

namespace limner::codec {
namespace {

// libpng reports errors by longjmp: whatever it jumps over must have no destructor. So everything
// that owns something lives in this object, and `run` is given plain calls only.
class PngReader {
 public:
  explicit PngReader(Bytes bytes)
      : rest_(bytes),
        png_(png_create_read_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning)),
        info_(png_ ? png_create_info_struct(png_) : nullptr) {}
  PngReader(const PngReader&) = delete;
  PngReader& operator=(const PngReader&) = delete;
  ~PngReader() { png_destroy_read_struct(&png_, &info_, nullptr); }

  bool is_ready() const { return info_ != nullptr; }
  const char* message() const { return message_; }
  png_structp png() const { return png_; }
  png_infop info() const { return info_; }

  // False when libpng gave up; message() says why.
  template <typename F>
  bool run(F&& calls) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    calls();
    return true;
  }

  static void on_read(png_structp png, png_bytep out, std::size_t size) {
    auto* self = static_cast<PngReader*>(png_get_io_ptr(png));
    if (size > self->rest_.size()) png_error(png, "cut off");
    std::memcpy(out, self->rest_.data(), size);
    self->rest_ = self->rest_.subspan(size);
  }

 private:
  [[noreturn]] static void on_error(png_structp png, png_const_charp message) {
    auto* self = static_cast<PngReader*>(png_get_error_ptr(png));
    std::strncpy(self->message_, message, sizeof self->message_ - 1);
    png_longjmp(png, 1);
  }
  // Warnings are about ancillary data, which is not used.
  static void on_warning(png_structp, png_const_charp) {}

  Bytes rest_;
  char message_[128] = {};
  png_structp png_;
  png_infop info_;
};

// Every kind of PNG becomes 8-bit RGB or RGBA.
void set_transforms(png_structp png) {
  png_set_expand(png);  // palettes to RGB, 1 to 4 bits to 8, tRNS to alpha
  png_set_scale_16(png);
  png_set_gray_to_rgb(png);
}

void read_info(PngReader& reader) {
  png_structp png = reader.png();
  png_set_read_fn(png, &reader, PngReader::on_read);
  // All ancillary chunks but tRNS are skipped unread: profiles and texts are where bombs hide.
  png_set_keep_unknown_chunks(png, PNG_HANDLE_CHUNK_NEVER, nullptr, -1);
  png_read_info(png, reader.info());
  set_transforms(png);
  png_set_interlace_handling(png);
  png_read_update_info(png, reader.info());
}

}  // namespace

Result<void> decode_png(Bytes bytes, Image& image) {
  PngReader reader(bytes);
  if (!reader.is_ready()) {
    return Error{.kind = ErrorKind::Unavailable, .message = "out of memory for a picture"};
  }
  const auto damaged = [&] {
    return invalid_image("the PNG file is damaged or cut off", reader.message());
  };
  if (!reader.run([&] { read_info(reader); })) return damaged();
  if (png_get_rowbytes(reader.png(), reader.info()) != image.row_size_bytes() ||
      png_get_image_height(reader.png(), reader.info()) !=
          static_cast<png_uint_32>(image.size.height_px)) {
    return damaged();
  }
  std::vector<png_bytep> rows(static_cast<std::size_t>(image.size.height_px));
  for (int y = 0; y < image.size.height_px; ++y) rows[static_cast<std::size_t>(y)] = image.row(y);
  const bool is_read = reader.run([&] {
    png_read_image(reader.png(), rows.data());
    png_read_end(reader.png(), nullptr);
  });
  if (!is_read) return damaged();
  return {};
}

}  // namespace limner::codec
