#include <memory>

#include <webp/encode.h>
#include <webp/mux.h>

#include "codec/encoders.hpp"
#include "codec/exif.hpp"

namespace limner::codec {
namespace {

constexpr int kLosslessQuality = 100;
// Measured on painted pictures (docs/decisions/0020-image-files.md): more effort doubles the time
// for 1 % of size, 10 % when lossless.
constexpr int kLosslessLevel = 0;
constexpr int kLossyMethod = 2;

struct Picture {
  Picture() { is_ready = WebPPictureInit(&value) != 0; }
  Picture(const Picture&) = delete;
  Picture& operator=(const Picture&) = delete;
  ~Picture() { WebPPictureFree(&value); }
  WebPPicture value;
  bool is_ready = false;
};

struct Writer {
  Writer() { WebPMemoryWriterInit(&value); }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;
  ~Writer() { WebPMemoryWriterClear(&value); }
  WebPMemoryWriter value;
};

struct MuxDelete {
  void operator()(WebPMux* mux) const { WebPMuxDelete(mux); }
};

bool make_config(int quality, WebPConfig& config) {
  if (!WebPConfigInit(&config)) return false;
  if (quality == kLosslessQuality) return WebPConfigLosslessPreset(&config, kLosslessLevel) != 0;
  config.quality = static_cast<float>(quality);
  config.method = kLossyMethod;
  return WebPValidateConfig(&config) != 0;
}

Result<FileBytes> add_exif(const WebPMemoryWriter& file, const std::vector<std::uint8_t>& exif) {
  const WebPData picture{file.mem, file.size};
  const std::unique_ptr<WebPMux, MuxDelete> mux(WebPMuxCreate(&picture, 0));
  const WebPData chunk{exif.data(), exif.size()};
  WebPData assembled{};
  if (!mux || WebPMuxSetChunk(mux.get(), "EXIF", &chunk, 0) != WEBP_MUX_OK ||
      WebPMuxAssemble(mux.get(), &assembled) != WEBP_MUX_OK) {
    WebPDataClear(&assembled);
    return out_of_memory();
  }
  FileBytes out(assembled.bytes, assembled.bytes + assembled.size);
  WebPDataClear(&assembled);
  return out;
}

}  // namespace

Result<FileBytes> encode_webp(const Image& image, int quality, const Metadata& metadata) {
  WebPConfig config;
  Picture picture;
  if (!picture.is_ready || !make_config(quality, config)) return out_of_memory();
  picture.value.use_argb = config.lossless;
  picture.value.width = image.size.width_px;
  picture.value.height = image.size.height_px;
  const auto stride = static_cast<int>(image.row_size_bytes());
  const int is_imported = image.channels == 4
                              ? WebPPictureImportRGBA(&picture.value, image.pixels.data(), stride)
                              : WebPPictureImportRGB(&picture.value, image.pixels.data(), stride);
  Writer writer;
  picture.value.writer = WebPMemoryWrite;
  picture.value.custom_ptr = &writer.value;
  if (!is_imported || !WebPEncode(&config, &picture.value)) return out_of_memory();
  if (metadata.parameters.empty() && metadata.json.empty()) {
    return FileBytes(writer.value.mem, writer.value.mem + writer.value.size);
  }
  return add_exif(writer.value, make_exif(metadata.parameters, metadata.json));
}

}  // namespace limner::codec
