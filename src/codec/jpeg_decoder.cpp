#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <vector>

#include <jpeglib.h>
// After jpeglib.h, which it needs.
#include <jerror.h>

#include "codec/decoders.hpp"
#include "codec/errors.hpp"

namespace limner::codec {
namespace {

// A progressive file may repeat scans without end; real encoders write about ten.
constexpr int kScansMax = 64;

// libjpeg reports errors by longjmp: whatever it jumps over must have no destructor. So everything
// that owns something lives in this object or outside `run`.
class JpegReader {
 public:
  JpegReader() {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = on_message;
    progress_.progress_monitor = on_progress;
  }
  JpegReader(const JpegReader&) = delete;
  JpegReader& operator=(const JpegReader&) = delete;
  ~JpegReader() { jpeg_destroy_decompress(&info_); }

  jpeg_decompress_struct& info() { return info_; }
  jpeg_progress_mgr& progress() { return progress_; }
  const char* message() const { return message_; }

  // False when libjpeg gave up; message() says why.
  template <typename F>
  bool run(F&& calls) {
    if (setjmp(jump_) != 0) return false;
    calls();
    return true;
  }

 private:
  static JpegReader& self(j_common_ptr info) {
    return *static_cast<JpegReader*>(info->client_data);
  }

  [[noreturn]] static void on_error(j_common_ptr info) {
    (*info->err->format_message)(info, self(info).message_);
    std::longjmp(self(info).jump_, 1);
  }

  // Negative levels are damage that libjpeg would paint over in grey: an error here, but for the
  // harmless kinds that cameras and old programs do write.
  static void on_message(j_common_ptr info, int level) {
    const int code = info->err->msg_code;
    const bool is_harmless = code == JWRN_EXTRANEOUS_DATA || code == JWRN_ADOBE_XFORM ||
                             code == JWRN_JFIF_MAJOR || code == JWRN_TOO_MUCH_DATA;
    if (level < 0 && !is_harmless) on_error(info);
  }

  static void on_progress(j_common_ptr info) {
    // The monitor is only ever set on decompressors.
    if (reinterpret_cast<j_decompress_ptr>(info)->input_scan_number <= kScansMax) return;
    std::snprintf(self(info).message_, sizeof self(info).message_, "more than %d scans", kScansMax);
    std::longjmp(self(info).jump_, 1);
  }

  jpeg_decompress_struct info_{};
  jpeg_error_mgr errors_{};
  jpeg_progress_mgr progress_{};
  std::jmp_buf jump_{};
  char message_[JMSG_LENGTH_MAX] = {};
};

void read_info(JpegReader& reader, Bytes bytes) {
  auto& info = reader.info();
  jpeg_create_decompress(&info);
  info.progress = &reader.progress();
  jpeg_mem_src(&info, bytes.data(), static_cast<unsigned long>(bytes.size()));
  jpeg_read_header(&info, TRUE);
  const bool is_cmyk = info.jpeg_color_space == JCS_CMYK || info.jpeg_color_space == JCS_YCCK;
  info.out_color_space = is_cmyk ? JCS_CMYK : JCS_RGB;
}

// Ink in print files is stored inverted, 255 = none (Adobe's custom, followed by all who write
// them). As Pillow: nk = 255 - k; red = nk - c * nk / 255, rounded.
void cmyk_row_to_rgb(const std::uint8_t* inverted, std::uint8_t* rgb, int width) {
  for (int x = 0; x < width; ++x, inverted += 4, rgb += 3) {
    const int nk = inverted[3];
    for (int c = 0; c < 3; ++c) {
      const int product = (255 - inverted[c]) * nk + 128;
      rgb[c] = static_cast<std::uint8_t>(nk - ((product >> 8) + product) / 256);
    }
  }
}

void read_rows(jpeg_decompress_struct& info, Image& image, std::uint8_t* cmyk_row) {
  jpeg_start_decompress(&info);
  while (info.output_scanline < info.output_height) {
    std::uint8_t* out = image.row(static_cast<int>(info.output_scanline));
    JSAMPROW row = cmyk_row ? cmyk_row : out;
    if (jpeg_read_scanlines(&info, &row, 1) != 1) continue;
    if (cmyk_row) cmyk_row_to_rgb(cmyk_row, out, image.size.width_px);
  }
  jpeg_finish_decompress(&info);
}

}  // namespace

Result<void> decode_jpeg(Bytes bytes, Image& image) {
  JpegReader reader;
  const auto damaged = [&] {
    return invalid_image("the JPEG file is damaged or cut off", reader.message());
  };
  if (!reader.run([&] { read_info(reader, bytes); })) return damaged();
  auto& info = reader.info();
  if (info.image_width != static_cast<JDIMENSION>(image.size.width_px) ||
      info.image_height != static_cast<JDIMENSION>(image.size.height_px)) {
    return damaged();
  }
  std::vector<std::uint8_t> cmyk_row;
  if (info.out_color_space == JCS_CMYK) cmyk_row.resize(std::size_t{info.image_width} * 4);
  std::uint8_t* cmyk_pointer = cmyk_row.empty() ? nullptr : cmyk_row.data();
  if (!reader.run([&] { read_rows(info, image, cmyk_pointer); })) return damaged();
  return {};
}

}  // namespace limner::codec
