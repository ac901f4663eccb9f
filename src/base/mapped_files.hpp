// What happens to files while they are mapped. Reading beyond the end of one that was cut short is
// a signal that ends the process; here it becomes zeros and a remark, so that who uses the file can
// say what is wrong with it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <optional>

#include <sys/stat.h>

#include "base/result.hpp"

namespace limner {

// A place in the table of mappings; the number stands for it as long as it is mapped.
enum class MappingId : std::size_t {};

// Any thread. At most a few thousand files are mapped at once: Unavailable beyond.
Result<MappingId> watch_mapping(const std::filesystem::path& path, int fd, const void* data,
                                std::size_t size_bytes);
void forget_mapping(MappingId id);

// The mapping that an address lies in.
std::optional<MappingId> find_mapping(const void* address);

// Unavailable "model_files_changed" when the file was written or cut since it was mapped. One that
// another file took the name of is as it was.
Result<void> check_mapping(MappingId id);

}  // namespace limner
