// A request for pictures after every dialect's fields became one set of checked values, and the
// events that answer it. Plain values: they could be sent to another process.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/error.hpp"
#include "core/image.hpp"

namespace limner {

enum class Task { TextToImage, ImageToImage, Inpaint };
// "text_to_image", "image_to_image", "inpaint".
std::string_view to_string(Task task);

// The rule that turns noise into a picture (diffusers' scheduler classes). Request values in
// brackets; to_string and parse_scheduler_kind know them.
enum class SchedulerKind {
  Ddim,            // ddim
  Pndm,            // pndm
  Euler,           // euler
  EulerAncestral,  // euler_a
  Heun,            // heun
  Lms,             // lms
  Dpmpp2m,         // dpmpp_2m
  Dpmpp2mKarras,   // dpmpp_2m_karras
  UniPc,           // unipc
  DpmppSde,        // dpmpp_sde
  Dpmpp2mSde,      // dpmpp_2m_sde
  Deis,            // deis
  Lcm,             // lcm
  Tcd,             // tcd
  Ddpm,            // ddpm
  FlowMatchEuler,  // flow_match_euler
  FlowMatchHeun,   // flow_match_heun
};

std::string_view to_string(SchedulerKind kind);
std::optional<SchedulerKind> parse_scheduler_kind(std::string_view name);
// All request values, in the order above.
std::vector<std::string_view> scheduler_names();

// Texts for up to three encoders; an absent second or third text is a copy of the first.
struct Prompt {
  std::string text;
  std::optional<std::string> text_2;
  std::optional<std::string> text_3;
  std::string negative;
  std::optional<std::string> negative_2;
  std::optional<std::string> negative_3;
};

// Absent values are the model's own defaults (ModelTraits::defaults).
struct SamplingParams {
  std::optional<int> num_inference_steps;
  std::optional<double> guidance_scale;
  std::optional<SchedulerKind> scheduler;
  std::uint64_t seed = 0;          // image i of n uses seed + i, which must not wrap
  std::optional<double> strength;  // image to image: 0 keeps the image, 1 ignores it
  std::optional<int> clip_skip;
  std::optional<int> max_sequence_length;  // T5, Qwen3
  double eta = 0.0;                        // DDIM
};

struct AdapterRef {
  std::string name;
  double scale = 1.0;
  // Of what it adds to the text encoders; absent: the same.
  std::optional<double> text_encoder_scale = std::nullopt;
  friend bool operator==(const AdapterRef&, const AdapterRef&) = default;
};

// "0.8", or "0.5:0.8" where the text encoders' own comes first: as in the web UIs' tags.
std::string strength_text(const AdapterRef& adapter);

// How CLIP's encoders read a prompt.
struct PromptReading {
  int chunks_max = 1;        // of 75 tokens each
  bool has_weights = false;  // `(cat:1.3)`, `[cat]` and BREAK mean something, else they are text
  friend bool operator==(const PromptReading&, const PromptReading&) = default;
};

struct GenerationRequest {
  std::string id;     // for the log and the answer
  std::string model;  // a served model's own name, aliases resolved
  Task task = Task::TextToImage;
  Prompt prompt;
  SamplingParams sampling;
  ImageSize size;  // already one the model takes
  int image_count = 1;
  PromptReading prompt_reading;
  bool truncates_prompt = false;  // else a prompt longer than the encoder reads is refused
  int partial_images = 0;         // previews per image
  bool wants_progress = false;    // Queued and Progress events too
  // How long it may wait until its model is in memory before it is refused as Unavailable; absent:
  // as long as loading takes.
  std::optional<std::chrono::seconds> model_wait_max;
  std::vector<AdapterRef> adapters;
  std::shared_ptr<const Image> init_image;  // shared: uploads are large and never change
  std::shared_ptr<const Mask> mask;
  // Whose turn it takes in the queue; empty: nobody's in particular.
  std::string principal = {};
  // A served model to try when this one cannot be loaded or fails before the first picture.
  std::vector<std::string> fallbacks;
};

// What a model says of itself before it paints; `/v1/capabilities` prints it.
struct ModelTraits {
  std::string name;
  std::string family;     // "StableDiffusionPipeline"
  std::string precision;  // of its arithmetic: "f32" or "bf16"
  struct Defaults {
    int num_inference_steps = 50;
    double guidance_scale = 7.5;
    double strength = 0.8;
    ImageSize size{512, 512};
    SchedulerKind scheduler = SchedulerKind::Pndm;
    std::string negative_prompt;
  } defaults;
  int size_multiple_px = 8;  // the VAE's factor, times the patch size of a transformer
  int side_px_min = 8;
  int side_px_max = 2048;
  std::size_t pixels_max = 2048u * 2048u;
  bool paints_one_size = false;  // other sizes are the default one, scaled
  int steps_max = 1000;
  std::vector<SchedulerKind> schedulers;
  std::vector<Task> tasks;
  bool uses_guidance = true;  // false: distilled, guidance and negative prompt have no effect
  bool uses_negative_prompt = true;
  int text_encoder_count = 1;
  bool uses_clip_skip = true;
  bool uses_max_sequence_length = false;   // there is a T5
  std::vector<std::string> adapters = {};  // LoRAs that requests may name
  std::string weights_format = {};         // "safetensors", "openvino": which of a folder's is used
};

struct Timings {
  std::chrono::microseconds queued{0};
  std::chrono::microseconds prepare{0};  // text encoders, first latents
  std::chrono::microseconds denoise{0};
  std::chrono::microseconds decode{0};
};

struct PaintedImage {
  int index = 0;
  std::uint64_t seed = 0;
  Image image;
};

// What was really used, for the answer, metadata and usage.
struct EffectiveParams {
  std::string model;
  std::string precision = {};  // of the arithmetic: "f32" or "bf16"
  int num_inference_steps = 0;
  double guidance_scale = 0;
  SchedulerKind scheduler = SchedulerKind::Pndm;
  ImageSize size;
  int text_tokens = 0;  // prompts and negative prompts, without begin, end and padding
  // Sentences for the client about parameters that had no effect.
  std::vector<std::string> notes;
};

// A model on its way into memory; the `loading` object of a 503.
struct ModelLoading {
  std::string model;
  std::string stage;  // "waiting for memory", "opening its files", "compiling the denoiser"
  std::chrono::milliseconds elapsed{0};
  std::chrono::milliseconds expected{0};  // in all, from the last load or from the size
  std::chrono::milliseconds left() const {
    return elapsed < expected ? expected - elapsed : std::chrono::milliseconds{0};
  }
};

namespace event {

struct Queued {
  int position = 0;  // 0 is next
  std::chrono::milliseconds expected_wait{0};
  std::optional<ModelLoading> loading = std::nullopt;  // present while the model is not ready
};
struct Progress {
  int step = 0;  // done so far
  int step_count = 0;
};
struct Partial {
  int image_index = 0;
  int partial_index = 0;
  Image image;
};
struct Completed {
  std::vector<PaintedImage> images;
  EffectiveParams effective;
  Timings timings;
};
struct Failed {
  Error error;
};

}  // namespace event

// Exactly one Completed or Failed ends a request.
using GenerationEvent =
    std::variant<event::Queued, event::Progress, event::Partial, event::Completed, event::Failed>;

// Where results go. Called on the engine thread: must only hand the event over, never wait. A sink
// may drop Queued, Progress and Partial events, never the last one.
class EventSink {
 public:
  virtual ~EventSink() = default;
  virtual void emit(GenerationEvent event) = 0;
};

}  // namespace limner
