#include <csetjmp>
#include <cstring>
#include <new>
#include <string>
#include <vector>

#include <png.h>
#include <zlib.h>

#include "base/log.hpp"
#include "codec/encoders.hpp"
#include "codec/text.hpp"

namespace limner::codec {
namespace {

// Measured on painted pictures (docs/decisions/0020-image-files.md): runs only, after the average
// filter, is both faster and smaller than deflate's fast levels; level 6 with all filters takes
// eight times the time for 6 % of size.
constexpr int kCompressionLevel = 1;
constexpr int kFilter = PNG_FILTER_AVG;

// As in png_decoder.cpp: libpng jumps, so what owns memory lives here.
class PngWriter {
 public:
  PngWriter()
      : png_(png_create_write_struct(PNG_LIBPNG_VER_STRING, this, on_error, on_warning)),
        info_(png_ ? png_create_info_struct(png_) : nullptr) {}
  PngWriter(const PngWriter&) = delete;
  PngWriter& operator=(const PngWriter&) = delete;
  ~PngWriter() { png_destroy_write_struct(&png_, &info_); }

  bool is_ready() const { return info_ != nullptr; }
  png_structp png() const { return png_; }
  png_infop info() const { return info_; }
  FileBytes& out() { return out_; }

  template <typename F>
  bool run(F&& calls) {
    if (setjmp(png_jmpbuf(png_)) != 0) return false;
    calls();
    return true;
  }

  static void on_write(png_structp png, png_bytep data, std::size_t size) {
    auto* self = static_cast<PngWriter*>(png_get_io_ptr(png));
    if (!self->append(data, size)) png_error(png, "out of memory");
  }
  static void on_flush(png_structp) {}

 private:
  bool append(const std::uint8_t* data, std::size_t size) noexcept {
    try {
      out_.insert(out_.end(), data, data + size);
      return true;
    } catch (const std::bad_alloc&) {
      return false;
    }
  }

  [[noreturn]] static void on_error(png_structp png, png_const_charp) { png_longjmp(png, 1); }
  static void on_warning(png_structp, png_const_charp message) {
    log::debug("libpng: {}", message);
  }

  FileBytes out_;
  png_structp png_;
  png_infop info_;
};

int colour_type(int channels) {
  switch (channels) {
    case 1:
      return PNG_COLOR_TYPE_GRAY;
    case 4:
      return PNG_COLOR_TYPE_RGB_ALPHA;
    default:
      return PNG_COLOR_TYPE_RGB;
  }
}

// Borrows both texts.
png_text make_text(std::string_view key, std::string& text) {
  png_text entry{};
  entry.compression = is_ascii(text) ? PNG_TEXT_COMPRESSION_NONE : PNG_ITXT_COMPRESSION_NONE;
  entry.key = const_cast<char*>(key.data());
  entry.text = text.data();
  entry.text_length = text.size();
  return entry;
}

}  // namespace

Result<FileBytes> encode_png(const Image& image, const Metadata& metadata) {
  PngWriter writer;
  if (!writer.is_ready()) return out_of_memory();
  Metadata texts = metadata;
  std::vector<png_text> entries;
  if (!texts.parameters.empty()) entries.push_back(make_text(kParametersKey, texts.parameters));
  if (!texts.json.empty()) entries.push_back(make_text(kJsonKey, texts.json));
  std::vector<png_const_bytep> rows(static_cast<std::size_t>(image.size.height_px));
  for (int y = 0; y < image.size.height_px; ++y) rows[static_cast<std::size_t>(y)] = image.row(y);
  writer.out().reserve(image.pixels.size() / 2);

  const bool is_written = writer.run([&] {
    png_structp png = writer.png();
    png_set_write_fn(png, &writer, PngWriter::on_write, PngWriter::on_flush);
    png_set_IHDR(png, writer.info(), static_cast<png_uint_32>(image.size.width_px),
                 static_cast<png_uint_32>(image.size.height_px), 8, colour_type(image.channels),
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, kCompressionLevel);
    png_set_compression_strategy(png, Z_RLE);
    png_set_filter(png, PNG_FILTER_TYPE_BASE, kFilter);
    if (!entries.empty()) {
      png_set_text(png, writer.info(), entries.data(), static_cast<int>(entries.size()));
    }
    png_write_info(png, writer.info());
    for (const png_const_bytep row : rows) png_write_row(png, row);
    png_write_end(png, nullptr);
  });
  if (!is_written) return out_of_memory();
  return std::move(writer.out());
}

}  // namespace limner::codec
