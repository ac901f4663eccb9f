#include <algorithm>
#include <csetjmp>
#include <cstdio>
#include <cstdlib>
#include <vector>

#include <jpeglib.h>

#include "codec/encoders.hpp"
#include "codec/exif.hpp"

namespace limner::codec {
namespace {

using namespace std::string_view_literals;

constexpr std::size_t kSegmentBytesMax = 65'533;
constexpr int kFullColourQuality = 90;
constexpr auto kExifPrefix = "Exif\0\0"sv;

// As in jpeg_decoder.cpp: libjpeg jumps, so what owns memory lives here.
class JpegWriter {
 public:
  JpegWriter() {
    info_.err = jpeg_std_error(&errors_);
    info_.client_data = this;
    errors_.error_exit = on_error;
    errors_.emit_message = [](j_common_ptr, int) {};
  }
  JpegWriter(const JpegWriter&) = delete;
  JpegWriter& operator=(const JpegWriter&) = delete;
  ~JpegWriter() {
    jpeg_destroy_compress(&info_);
    std::free(buffer_);
  }

  jpeg_compress_struct& info() { return info_; }
  void start() {
    jpeg_create_compress(&info_);
    jpeg_mem_dest(&info_, &buffer_, &size_);
  }
  FileBytes take() const { return {buffer_, buffer_ + size_}; }

  template <typename F>
  bool run(F&& calls) {
    if (setjmp(jump_) != 0) return false;
    calls();
    return true;
  }

 private:
  [[noreturn]] static void on_error(j_common_ptr info) {
    std::longjmp(static_cast<JpegWriter*>(info->client_data)->jump_, 1);
  }

  jpeg_compress_struct info_{};
  jpeg_error_mgr errors_{};
  std::jmp_buf jump_{};
  unsigned char* buffer_ = nullptr;
  unsigned long size_ = 0;
};

struct Segment {
  int marker = JPEG_COM;
  std::vector<std::uint8_t> data = {};
};

void add_comments(std::string_view key, std::string_view text, std::vector<Segment>& segments) {
  const std::size_t piece_bytes = kSegmentBytesMax - key.size() - 1;
  for (std::size_t i = 0; i < text.size(); i += piece_bytes) {
    const auto piece = text.substr(i, piece_bytes);
    Segment segment;
    segment.data.reserve(key.size() + 1 + piece.size());
    segment.data.insert(segment.data.end(), key.begin(), key.end());
    segment.data.push_back(':');
    segment.data.insert(segment.data.end(), piece.begin(), piece.end());
    segments.push_back(std::move(segment));
  }
}

std::vector<Segment> make_segments(const Metadata& metadata) {
  std::vector<Segment> segments;
  if (!metadata.parameters.empty()) {
    const auto exif = make_exif(metadata.parameters, {});
    if (kExifPrefix.size() + exif.size() <= kSegmentBytesMax) {
      Segment segment{.marker = JPEG_APP0 + 1, .data = {kExifPrefix.begin(), kExifPrefix.end()}};
      segment.data.insert(segment.data.end(), exif.begin(), exif.end());
      segments.push_back(std::move(segment));
    }
  }
  add_comments(kParametersKey, metadata.parameters, segments);
  add_comments(kJsonKey, metadata.json, segments);
  return segments;
}

void write_file(JpegWriter& writer, const Image& image, int quality,
                std::span<const Segment> segments) {
  writer.start();
  auto& info = writer.info();
  info.image_width = static_cast<JDIMENSION>(image.size.width_px);
  info.image_height = static_cast<JDIMENSION>(image.size.height_px);
  info.input_components = image.channels;
  info.in_color_space = image.channels == 1 ? JCS_GRAYSCALE : JCS_RGB;
  jpeg_set_defaults(&info);
  jpeg_set_quality(&info, quality, TRUE);
  if (quality >= kFullColourQuality && image.channels == 3) {
    info.comp_info[0].h_samp_factor = 1;
    info.comp_info[0].v_samp_factor = 1;
  }
  jpeg_start_compress(&info, TRUE);
  for (const auto& segment : segments) {
    jpeg_write_marker(&info, segment.marker, segment.data.data(),
                      static_cast<unsigned>(segment.data.size()));
  }
  while (info.next_scanline < info.image_height) {
    JSAMPROW row = const_cast<JSAMPROW>(image.row(static_cast<int>(info.next_scanline)));
    jpeg_write_scanlines(&info, &row, 1);
  }
  jpeg_finish_compress(&info);
}

}  // namespace

Result<FileBytes> encode_jpeg(const Image& image, int quality, const Metadata& metadata) {
  const auto segments = make_segments(metadata);
  JpegWriter writer;
  const bool is_written = writer.run([&] { write_file(writer, image, quality, segments); });
  if (!is_written) return out_of_memory();
  return writer.take();
}

}  // namespace limner::codec
