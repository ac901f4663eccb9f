#include "weights/safetensors.hpp"

#include <algorithm>
#include <cctype>
#include <cstring>
#include <limits>
#include <optional>
#include <utility>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

#include "base/file_signature.hpp"
#include "base/files.hpp"
#include "base/json.hpp"

namespace limner::weights {
namespace {

constexpr std::size_t kLengthBytes = 8;

Error malformed(std::string_view file, std::string what) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = fmt::format("{}: {}", file, what),
          .code = "invalid_weights"};
}

struct DTypeName {
  std::string_view name;
  DType dtype;
  std::size_t bits;
};
constexpr DTypeName kDTypes[] = {
    {"F64", DType::F64, 64},
    {"F32", DType::F32, 32},
    {"F16", DType::F16, 16},
    {"BF16", DType::BF16, 16},
    {"F8_E4M3", DType::F8E4M3, 8},
    {"F8_E5M2", DType::F8E5M2, 8},
    {"I64", DType::I64, 64},
    {"I32", DType::I32, 32},
    {"I16", DType::I16, 16},
    {"I8", DType::I8, 8},
    {"U8", DType::U8, 8},
    {"BOOL", DType::Bool, 8},
    {"U64", DType::Other, 64},
    {"U32", DType::Other, 32},
    {"U16", DType::Other, 16},
    {"C64", DType::Other, 64},
    {"F8_E8M0", DType::Other, 8},
    {"F8_E4M3FNUZ", DType::Other, 8},
    {"F8_E5M2FNUZ", DType::Other, 8},
    {"F6_E2M3", DType::Other, 6},
    {"F6_E3M2", DType::Other, 6},
    {"F4", DType::Other, 4},
};

// Product of a shape in bytes, or nothing when it does not fit the machine or ends within a byte.
std::optional<std::size_t> shape_size_bytes(const Shape& shape, std::size_t bits) {
  std::size_t total = bits;
  for (const auto side : shape) {
    const auto factor = static_cast<std::size_t>(side);
    if (factor != 0 && total > std::numeric_limits<std::size_t>::max() / factor) {
      return std::nullopt;
    }
    total *= factor;
  }
  if (total % 8 != 0) return std::nullopt;
  return total / 8;
}

// Why the bytes do not even begin as safetensors do.
std::string why_foreign(std::string_view bytes, std::uint64_t header_size) {
  constexpr std::size_t kShown = 40;
  if (bytes.empty()) return "the file is empty; download it again";
  if (const auto what = foreign_content(bytes)) return *what;
  const auto is_text = [](char c) { return (c >= ' ' && c <= '~') || c == '\n' || c == '\r'; };
  const std::string_view begin = bytes.substr(0, kShown);
  if (std::ranges::all_of(begin, is_text)) {
    return fmt::format("is no safetensors but text that begins \"{}\"",
                       begin.substr(0, begin.find_first_of("\r\n")));
  }
  if (bytes.size() > kLengthBytes && bytes[kLengthBytes] == '{') {
    return fmt::format("is cut off within its header of {} bytes; download it again", header_size);
  }
  return fmt::format("a header of {} bytes in a file of {} is not safetensors", header_size,
                     bytes.size());
}

class Parser {
 public:
  Parser(std::span<const std::uint8_t> data, std::shared_ptr<const void> owner,
         std::string_view file, const SafetensorsLimits& limits)
      : data_(data), owner_(std::move(owner)), file_(file), limits_(limits) {}

  Result<SafetensorsHeader> parse(const json::object& header) {
    if (header.size() > limits_.tensors_max) {
      return malformed(file_, fmt::format("{} tensors, at most {} are read", header.size(),
                                          limits_.tensors_max));
    }
    SafetensorsHeader out;
    for (const auto& [key, value] : header) {
      const std::string name(key);
      if (!value.is_object())
        return malformed(file_, fmt::format("tensor {}: not an object", name));
      if (name == "__metadata__") {
        for (const auto& [k, v] : value.get_object()) {
          if (v.is_string()) out.metadata.emplace(k, v.get_string());
        }
        continue;
      }
      auto tensor = parse_tensor(name, value.get_object());
      if (!tensor) return tensor.error();
      out.tensors.emplace(name, *std::move(tensor));
    }
    if (auto layout = check_layout(); !layout) return layout.error();
    return out;
  }

 private:
  Result<TensorView> parse_tensor(const std::string& name, const json::object& entry) {
    const auto bad = [&](std::string what) {
      return malformed(file_, fmt::format("tensor {}: {}", name, what));
    };
    const auto* dtype = entry.if_contains("dtype");
    const auto* shape = entry.if_contains("shape");
    const auto* offsets = entry.if_contains("data_offsets");
    if (!dtype || !dtype->is_string() || !shape || !shape->is_array() || !offsets ||
        !offsets->is_array() || offsets->get_array().size() != 2) {
      return bad("needs dtype, shape and two data_offsets");
    }
    TensorView view;
    const std::string_view dtype_name = dtype->get_string();
    const auto* known = std::ranges::find(kDTypes, dtype_name, &DTypeName::name);
    const bool is_known = known != std::end(kDTypes);
    view.dtype = is_known ? known->dtype : DType::Other;
    if (view.dtype == DType::Other) view.other_dtype = dtype_name;

    if (shape->get_array().size() > limits_.rank_max) return bad("too many dimensions");
    for (const auto& side : shape->get_array()) {
      if (!side.is_int64() || side.get_int64() < 0) return bad("shape has a side that is no size");
      view.shape.push_back(side.get_int64());
    }
    const auto& pair = offsets->get_array();
    if (!pair[0].is_int64() || !pair[1].is_int64()) return bad("data_offsets are no sizes");
    const std::int64_t begin = pair[0].get_int64();
    const std::int64_t end = pair[1].get_int64();
    if (begin < 0 || end < begin || static_cast<std::uint64_t>(end) > data_.size()) {
      return bad(fmt::format("data_offsets [{}, {}] lie outside the file's {} data bytes{}", begin,
                             end, data_.size(), end > begin ? " (is the file truncated?)" : ""));
    }
    // A dtype of a later version says nothing of sizes; what uses the tensor refuses it.
    const auto actual = static_cast<std::size_t>(end - begin);
    if (is_known && shape_size_bytes(view.shape, known->bits) != actual) {
      return bad(fmt::format("shape {} of {} does not match its {} bytes", to_string(view.shape),
                             dtype_name, actual));
    }
    view.bytes = data_.subspan(static_cast<std::size_t>(begin), actual);
    view.owner = owner_;
    ranges_.push_back({static_cast<std::size_t>(begin), static_cast<std::size_t>(end), name});
    return view;
  }

  // The format allows neither overlaps nor holes.
  Result<void> check_layout() {
    std::ranges::sort(ranges_, [](const Range& a, const Range& b) {
      return std::pair(a.begin, a.end) < std::pair(b.begin, b.end);
    });
    std::size_t position = 0;
    for (const auto& range : ranges_) {
      if (range.begin != position) {
        return malformed(file_, fmt::format("tensor {}: {} at byte {}", range.name,
                                            range.begin < position ? "overlaps another"
                                                                   : "leaves a hole before it",
                                            range.begin));
      }
      position = range.end;
    }
    if (position != data_.size()) {
      return malformed(file_,
                       fmt::format("{} bytes after the last tensor", data_.size() - position));
    }
    return {};
  }

  struct Range {
    std::size_t begin;
    std::size_t end;
    std::string name;
  };

  std::span<const std::uint8_t> data_;
  std::shared_ptr<const void> owner_;
  std::string file_;
  const SafetensorsLimits& limits_;
  std::vector<Range> ranges_;
};

}  // namespace

Result<SafetensorsHeader> parse_safetensors(std::span<const std::uint8_t> bytes,
                                            std::shared_ptr<const void> owner,
                                            std::string_view name,
                                            const SafetensorsLimits& limits) {
  const std::string_view all(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  std::uint64_t header_size = 0;
  for (std::size_t i = 0; i < std::min(bytes.size(), kLengthBytes); ++i) {
    header_size |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  }
  if (bytes.size() < kLengthBytes || header_size > limits.header_bytes_max ||
      header_size > bytes.size() - kLengthBytes) {
    return malformed(name, why_foreign(all, header_size));
  }
  const auto size = static_cast<std::size_t>(header_size);
  const std::string_view text = all.substr(kLengthBytes, size);
  if (text.empty() || text.front() != '{') {
    return malformed(name, foreign_content(all).value_or("the header is not a JSON object"));
  }
  auto header = parse_json(text, {.depth_max = 8, .values_max = 16 * limits.tensors_max});
  if (!header) return malformed(name, "header: " + header.error().message);
  return Parser(bytes.subspan(kLengthBytes + size), std::move(owner), name, limits)
      .parse(header->get_object());
}

bool is_safetensors_name(const std::filesystem::path& path) {
  std::string extension = path.extension().string();
  std::ranges::transform(extension, extension.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return extension == ".safetensors" || extension == ".sft";
}

Result<SafetensorsHeader> open_safetensors(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto owner = std::make_shared<const MappedFile>(*std::move(file));
  const auto bytes = owner->bytes();
  return parse_safetensors(bytes, std::move(owner), path.string());
}

}  // namespace limner::weights
