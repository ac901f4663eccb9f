#include "codec/metadata.hpp"

#include "codec/container.hpp"
#include "codec/encoders.hpp"
#include "codec/errors.hpp"
#include "codec/exif.hpp"
#include "codec/text.hpp"
#include "core/limits.hpp"

namespace limner::codec {
namespace {

std::string to_utf8(const TextEntry& entry) {
  return entry.is_utf8 ? to_valid_utf8(std::string(entry.text)) : latin1_to_utf8(entry.text);
}

// The first chunk of each name counts.
Metadata read_png(const Container& file) {
  Metadata metadata;
  for (const auto& entry : file.texts) {
    if (entry.keyword == kParametersKey && metadata.parameters.empty()) {
      metadata.parameters = to_utf8(entry);
    }
    if (entry.keyword == kJsonKey && metadata.json.empty()) metadata.json = to_utf8(entry);
  }
  return metadata;
}

// All comments "key:…" in order, joined; a split may lie within a character.
std::string join_comments(const Container& file, std::string_view key) {
  std::string text;
  for (const auto& entry : file.texts) {
    const bool is_ours = entry.text.size() > key.size() && entry.text.starts_with(key) &&
                         entry.text[key.size()] == ':';
    if (is_ours) text += entry.text.substr(key.size() + 1);
  }
  return to_valid_utf8(std::move(text));
}

Metadata read_jpeg(const Container& file) {
  Metadata metadata{.parameters = join_comments(file, kParametersKey),
                    .json = join_comments(file, kJsonKey)};
  if (metadata.parameters.empty()) {
    metadata.parameters = exif_user_comment(file.exif).value_or("");
  }
  return metadata;
}

Metadata read_webp(const Container& file) {
  Metadata metadata{.parameters = exif_user_comment(file.exif).value_or(""),
                    .json = exif_image_description(file.exif).value_or("")};
  // Cameras write captions there.
  if (!metadata.json.starts_with('{')) metadata.json.clear();
  return metadata;
}

}  // namespace

Result<Metadata> read_metadata(std::span<const std::uint8_t> bytes) {
  const auto file = read_container(bytes);
  if (!file) return file.error();
  if (file->metadata_size_bytes > Limits{}.image_metadata_bytes_max) {
    return image_too_large("the picture has too much metadata");
  }
  switch (file->format) {
    case ImageFormat::Png:
      return read_png(*file);
    case ImageFormat::Jpeg:
      return read_jpeg(*file);
    case ImageFormat::Webp:
      return read_webp(*file);
  }
  return Error{};
}

}  // namespace limner::codec
