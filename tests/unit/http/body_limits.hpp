// Limits for tests: generous, small enough to reach.
#pragma once

#include "http/route_table.hpp"

namespace limner::http {

constexpr MultipartLimits kFormLimits{.body_bytes_max = 100u << 20,
                                      .part_bytes_max = 50u << 20,
                                      .parts_max = 64,
                                      .part_head_bytes_max = 8u << 10,
                                      .spill_bytes = 1u << 20};
inline BodyPolicy json_body() {
  return BodyPolicy::json(64u << 20);
}
inline BodyPolicy form_body() {
  return BodyPolicy::form(kFormLimits);
}

}  // namespace limner::http
