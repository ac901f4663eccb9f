// Reader of the safetensors format: 8 bytes of header length (little endian), a JSON header, data.
// Trusts nothing in the file: every offset, size and shape is checked against the bytes there are.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>

#include "base/result.hpp"
#include "weights/tensor_view.hpp"

namespace limner::weights {

struct SafetensorsLimits {
  std::size_t header_bytes_max = 100u << 20;  // the format's own limit
  std::size_t tensors_max = 100'000;
  std::size_t rank_max = 8;
};

using TensorMap = std::map<std::string, TensorView, std::less<>>;

struct SafetensorsHeader {
  TensorMap tensors;
  std::map<std::string, std::string, std::less<>> metadata;
};

// The whole file in memory. Views point into `bytes`; `owner` is what keeps them alive. `name` is
// for error messages, which name the tensor and what is wrong with it.
Result<SafetensorsHeader> parse_safetensors(std::span<const std::uint8_t> bytes,
                                            std::shared_ptr<const void> owner,
                                            std::string_view name,
                                            const SafetensorsLimits& limits = {});

// Does the name end as such files' do, .safetensors or .sft in any case? What a file is its bytes
// tell: this is for finding files in folders.
bool is_safetensors_name(const std::filesystem::path& path);

// Maps a file; its views keep the mapping alive.
Result<SafetensorsHeader> open_safetensors(const std::filesystem::path& path);

}  // namespace limner::weights
