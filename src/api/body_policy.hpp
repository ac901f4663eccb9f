// Which bodies the routes take, within the product's limits.
#pragma once

#include "core/limits.hpp"
#include "http/route_table.hpp"

namespace limner::api {

inline http::BodyPolicy json_body(const Limits& limits) {
  return http::BodyPolicy::json(limits.json_body_bytes_max);
}

inline http::BodyPolicy json_or_form_body(const Limits& limits) {
  return http::BodyPolicy::json_or_form(
      limits.json_body_bytes_max, {.body_bytes_max = limits.multipart_body_bytes_max,
                                   .part_bytes_max = limits.multipart_part_bytes_max,
                                   .parts_max = limits.multipart_parts_max,
                                   .part_head_bytes_max = limits.multipart_part_head_bytes_max,
                                   .spill_bytes = limits.multipart_spill_bytes});
}

}  // namespace limner::api
