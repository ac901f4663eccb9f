#include "codec/exif.hpp"

#include <algorithm>

#include "codec/text.hpp"

namespace limner::codec {
namespace {

using namespace std::string_view_literals;

constexpr std::uint32_t kImageDescription = 0x010e;
constexpr std::uint32_t kOrientation = 0x0112;
constexpr std::uint32_t kExifDirectory = 0x8769;
constexpr std::uint32_t kUserComment = 0x9286;

constexpr std::uint32_t kTypeByte = 1;
constexpr std::uint32_t kTypeAscii = 2;
constexpr std::uint32_t kTypeShort = 3;
constexpr std::uint32_t kTypeLong = 4;
constexpr std::uint32_t kTypeUndefined = 7;

constexpr std::size_t kEntryBytes = 12;
constexpr std::size_t kTiffHeaderBytes = 8;
constexpr std::size_t kCharsetBytes = 8;  // UserComment begins with the name of its encoding
constexpr auto kUnicode = "UNICODE\0"sv;

struct Tiff {
  Bytes bytes;
  ByteOrder order = ByteOrder::Big;
};

std::optional<Tiff> open_tiff(Bytes exif) {
  if (exif.size() < kTiffHeaderBytes) return std::nullopt;
  if (exif[0] == 'M' && exif[1] == 'M') return Tiff{exif, ByteOrder::Big};
  if (exif[0] == 'I' && exif[1] == 'I') return Tiff{exif, ByteOrder::Little};
  return std::nullopt;
}

// Offset of the tag's 12-byte entry in the directory at `directory`.
std::optional<std::size_t> find_entry(const Tiff& tiff, std::size_t directory, std::uint32_t tag) {
  const auto count = read_u16(tiff.bytes, directory, tiff.order);
  if (!count) return std::nullopt;
  for (std::size_t i = 0; i < *count; ++i) {
    const std::size_t entry = directory + 2 + i * kEntryBytes;
    const auto found = read_u16(tiff.bytes, entry, tiff.order);
    if (!found) return std::nullopt;
    if (*found == tag) return entry;
  }
  return std::nullopt;
}

std::optional<std::size_t> first_directory(const Tiff& tiff) {
  return read_u32(tiff.bytes, 4, tiff.order);
}

// The bytes of an entry whose values are one byte each.
std::optional<Bytes> byte_values(const Tiff& tiff, std::size_t entry) {
  const auto type = read_u16(tiff.bytes, entry + 2, tiff.order);
  const auto count = read_u32(tiff.bytes, entry + 4, tiff.order);
  const auto offset = read_u32(tiff.bytes, entry + 8, tiff.order);
  if (!type || !count || !offset) return std::nullopt;
  if (*type != kTypeByte && *type != kTypeAscii && *type != kTypeUndefined) return std::nullopt;
  // Up to four bytes lie in the entry itself.
  return slice(tiff.bytes, *count <= 4 ? entry + 8 : *offset, *count);
}

std::optional<Bytes> find_bytes(const Tiff& tiff, std::optional<std::size_t> directory,
                                std::uint32_t tag) {
  if (!directory) return std::nullopt;
  const auto entry = find_entry(tiff, *directory, tag);
  return entry ? byte_values(tiff, *entry) : std::nullopt;
}

// Some writers give UTF-16 in an order that is not the file's. English text tells: its zero bytes
// come first in big-endian order.
ByteOrder guess_utf16_order(Bytes text) {
  std::size_t even_zeros = 0;
  std::size_t odd_zeros = 0;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    even_zeros += text[i] == 0;
    odd_zeros += text[i + 1] == 0;
  }
  return odd_zeros > even_zeros ? ByteOrder::Little : ByteOrder::Big;
}

std::string until_nul(Bytes bytes) {
  const auto end = std::find(bytes.begin(), bytes.end(), std::uint8_t{0});
  return {bytes.begin(), end};
}

void append_u16(std::vector<std::uint8_t>& out, std::size_t value) {
  out.push_back(static_cast<std::uint8_t>(value >> 8));
  out.push_back(static_cast<std::uint8_t>(value));
}

void append_u32(std::vector<std::uint8_t>& out, std::size_t value) {
  append_u16(out, value >> 16 & 0xffff);
  append_u16(out, value & 0xffff);
}

void append_entry(std::vector<std::uint8_t>& out, std::uint32_t tag, std::uint32_t type,
                  std::size_t count, std::size_t offset) {
  append_u16(out, tag);
  append_u16(out, type);
  append_u32(out, count);
  append_u32(out, offset);
}

}  // namespace

int exif_orientation(Bytes exif) {
  constexpr int kUpright = 1;
  const auto tiff = open_tiff(exif);
  if (!tiff) return kUpright;
  const auto directory = first_directory(*tiff);
  const auto entry = directory ? find_entry(*tiff, *directory, kOrientation) : std::nullopt;
  if (!entry || read_u16(tiff->bytes, *entry + 2, tiff->order) != kTypeShort) return kUpright;
  const auto value = read_u16(tiff->bytes, *entry + 8, tiff->order);
  return value && *value >= 1 && *value <= 8 ? static_cast<int>(*value) : kUpright;
}

std::optional<std::string> exif_user_comment(Bytes exif) {
  const auto tiff = open_tiff(exif);
  if (!tiff) return std::nullopt;
  const auto root = first_directory(*tiff);
  const auto entry = root ? find_entry(*tiff, *root, kExifDirectory) : std::nullopt;
  if (!entry) return std::nullopt;
  const auto directory = read_u32(tiff->bytes, *entry + 8, tiff->order);
  const auto comment = find_bytes(*tiff, directory, kUserComment);
  if (!comment || comment->size() < kCharsetBytes) return std::nullopt;
  const auto text = comment->subspan(kCharsetBytes);
  const bool is_utf16 = std::equal(kUnicode.begin(), kUnicode.end(), comment->begin());
  if (is_utf16) return utf16_to_utf8(text, guess_utf16_order(text));
  return to_valid_utf8(until_nul(text));
}

std::optional<std::string> exif_image_description(Bytes exif) {
  const auto tiff = open_tiff(exif);
  if (!tiff) return std::nullopt;
  const auto text = find_bytes(*tiff, first_directory(*tiff), kImageDescription);
  if (!text) return std::nullopt;
  return to_valid_utf8(until_nul(*text));
}

std::vector<std::uint8_t> make_exif(std::string_view user_comment, std::string_view description) {
  const bool has_comment = !user_comment.empty();
  const bool has_description = !description.empty();
  std::vector<std::uint8_t> comment(kUnicode.begin(), kUnicode.end());
  append_utf16_be(user_comment, comment);

  const std::size_t root_entries = (has_comment ? 1 : 0) + (has_description ? 1 : 0);
  const std::size_t root_end = kTiffHeaderBytes + 2 + root_entries * kEntryBytes + 4;
  const std::size_t description_bytes = has_description ? description.size() + 1 : 0;
  // Directories begin at even offsets; descriptions of up to three bytes are padded to need one.
  const std::size_t description_end = root_end + std::max<std::size_t>(description_bytes, 5);
  const std::size_t exif_begin = description_end + (description_end & 1);

  std::vector<std::uint8_t> out = {'M', 'M', 0, 42, 0, 0, 0, 8};
  append_u16(out, root_entries);
  if (has_description) {
    append_entry(out, kImageDescription, kTypeAscii, std::max<std::size_t>(description_bytes, 5),
                 root_end);
  }
  if (has_comment) append_entry(out, kExifDirectory, kTypeLong, 1, exif_begin);
  append_u32(out, 0);  // no further directory
  out.insert(out.end(), description.begin(), description.end());
  out.resize(exif_begin, 0);
  if (!has_comment) return out;
  constexpr std::size_t kExifDirectoryBytes = 2 + kEntryBytes + 4;
  append_u16(out, 1);
  append_entry(out, kUserComment, kTypeUndefined, comment.size(), exif_begin + kExifDirectoryBytes);
  append_u32(out, 0);
  out.insert(out.end(), comment.begin(), comment.end());
  return out;
}

}  // namespace limner::codec
