#include "weights/safetensors.hpp"

#include <algorithm>
#include <cstring>
#include <limits>
#include <utility>

#include <boost/json/parse.hpp>
#include <fmt/format.h>

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
};
constexpr DTypeName kDTypes[] = {
    {"F64", DType::F64},   {"F32", DType::F32},        {"F16", DType::F16},
    {"BF16", DType::BF16}, {"F8_E4M3", DType::F8E4M3}, {"F8_E5M2", DType::F8E5M2},
    {"I64", DType::I64},   {"I32", DType::I32},        {"I16", DType::I16},
    {"I8", DType::I8},     {"U8", DType::U8},          {"BOOL", DType::Bool},
};

// Product of a shape in bytes, or nothing when it does not fit the machine.
Result<std::size_t> shape_size_bytes(const Shape& shape, DType dtype) {
  std::size_t total = size_bytes(dtype);
  for (const auto side : shape) {
    const auto factor = static_cast<std::size_t>(side);
    if (factor != 0 && total > std::numeric_limits<std::size_t>::max() / factor) {
      return Error{.message = "shape overflows"};
    }
    total *= factor;
  }
  return total;
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
    if (known == std::end(kDTypes)) return bad(fmt::format("dtype {} is not known", dtype_name));
    view.dtype = known->dtype;

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
    const auto expected = shape_size_bytes(view.shape, view.dtype);
    const auto actual = static_cast<std::size_t>(end - begin);
    if (!expected || *expected != actual) {
      return bad(fmt::format("shape {} of {} does not match its {} bytes", to_string(view.shape),
                             to_string(view.dtype), actual));
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
  if (bytes.size() < kLengthBytes) {
    return malformed(name, fmt::format("{} bytes are too few for safetensors", bytes.size()));
  }
  std::uint64_t header_size = 0;
  for (std::size_t i = 0; i < kLengthBytes; ++i) {
    header_size |= static_cast<std::uint64_t>(bytes[i]) << (8 * i);
  }
  if (header_size > limits.header_bytes_max || header_size > bytes.size() - kLengthBytes) {
    return malformed(name, fmt::format("a header of {} bytes in a file of {} is not safetensors",
                                       header_size, bytes.size()));
  }
  const auto size = static_cast<std::size_t>(header_size);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()) + kLengthBytes, size);
  if (text.empty() || text.front() != '{')
    return malformed(name, "the header is not a JSON object");
  auto header = parse_json(text, {.depth_max = 8, .values_max = 16 * limits.tensors_max});
  if (!header) return malformed(name, "header: " + header.error().message);
  return Parser(bytes.subspan(kLengthBytes + size), std::move(owner), name, limits)
      .parse(header->get_object());
}

Result<SafetensorsHeader> open_safetensors(const std::filesystem::path& path) {
  auto file = MappedFile::open(path);
  if (!file) return file.error();
  auto owner = std::make_shared<const MappedFile>(*std::move(file));
  const auto bytes = owner->bytes();
  return parse_safetensors(bytes, std::move(owner), path.string());
}

}  // namespace limner::weights
