// Every limit of the product with its reason, in one place; config may lower or raise them.
#pragma once

#include <chrono>
#include <cstddef>

namespace limner {

struct Limits {
  // Bodies. OpenAI's clients send 16 images of up to 50 MB each; nobody needs more at once.
  std::size_t json_body_bytes_max = 64u << 20;
  std::size_t multipart_body_bytes_max = 100u << 20;
  std::size_t multipart_part_bytes_max = 50u << 20;
  std::size_t multipart_parts_max = 64;
  std::size_t multipart_part_head_bytes_max = 8u << 10;
  std::size_t multipart_spill_bytes = 1u << 20;  // larger parts go to an unlinked file
  int images_per_edit_max = 16;

  // Pixels, checked before anything is decoded.
  int side_px_max = 16'384;
  std::size_t decoded_pixels_max = 64u << 20;
  std::size_t image_metadata_bytes_max = 4u << 20;
  std::size_t decoding_bytes_max = 512u << 20;  // the whole process at once

  // A request.
  std::size_t prompt_chars_max = 32'000;  // OpenAI's ceiling
  // Chunks that a long prompt is read in unless the operator says: each is a run of the encoders.
  int prompt_chunks_default = 4;
  int images_per_request_max = 10;
  int steps_max = 1'000;  // schedulers are trained on 1000 steps; a model's own limit is lower
  int partial_images_max = 3;
  std::size_t user_chars_max = 256;

  // Queues.
  std::size_t queued_requests_max = 64;
  std::chrono::seconds queued_work_max{600};
  std::chrono::seconds shutdown_timeout{30};
};

}  // namespace limner
