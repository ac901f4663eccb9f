#include "storage/blob_store.hpp"

#include <algorithm>

namespace limner::storage {

bool is_blob_id(std::string_view id) {
  constexpr std::size_t kIdChars = 32;
  return id.size() == kIdChars && std::all_of(id.begin(), id.end(), [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
         });
}

}  // namespace limner::storage
