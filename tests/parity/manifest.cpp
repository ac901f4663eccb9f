#include "parity/manifest.hpp"

#include <algorithm>
#include <cstdlib>
#include <stdexcept>

#include "base/files.hpp"
#include "base/json.hpp"
#include "codec/decode.hpp"

namespace limner::parity {
namespace {

// Goldens are part of the repository: a broken one stops the tests with an exception.
template <typename T>
T required(Result<T> result, const std::string& what) {
  if (!result) throw std::runtime_error(what + ": " + result.error().message);
  return *std::move(result);
}

std::string text(const json::object& o, std::string_view key) {
  return required(get_string(o, key, "", "manifest"), std::string(key));
}
std::int64_t integer(const json::object& o, std::string_view key, std::int64_t fallback) {
  return required(get_int(o, key, fallback, "manifest"), std::string(key));
}
double number(const json::object& o, std::string_view key, double fallback) {
  return required(get_number(o, key, fallback, "manifest"), std::string(key));
}
std::optional<std::string> optional_text(const json::object& o, std::string_view key) {
  if (!o.contains(key)) return std::nullopt;
  return text(o, key);
}

Task parse_task(const std::string& name) {
  if (name == "text_to_image") return Task::TextToImage;
  if (name == "image_to_image") return Task::ImageToImage;
  if (name == "inpaint") return Task::Inpaint;
  throw std::runtime_error("task " + name);
}

SamplingParams parse_sampling(const json::object& o) {
  SamplingParams sampling;
  sampling.num_inference_steps = static_cast<int>(integer(o, "steps", 0));
  sampling.guidance_scale = number(o, "guidance", 0);
  sampling.seed = static_cast<std::uint64_t>(integer(o, "seed", 0));
  sampling.eta = number(o, "eta", 0);
  if (const auto name = optional_text(o, "scheduler")) {
    sampling.scheduler = parse_scheduler_kind(*name);
    if (!sampling.scheduler) throw std::runtime_error("scheduler " + *name);
  }
  if (o.contains("strength")) sampling.strength = number(o, "strength", 0);
  if (o.contains("clip_skip")) sampling.clip_skip = static_cast<int>(integer(o, "clip_skip", 0));
  if (o.contains("max_sequence_length")) {
    sampling.max_sequence_length = static_cast<int>(integer(o, "max_sequence_length", 0));
  }
  return sampling;
}

// The first channel of a picture.
Image to_grey(const Image& picture) {
  Image grey = Image::blank(picture.size, 1);
  const auto channels = static_cast<std::size_t>(picture.channels);
  for (std::size_t i = 0; i < grey.pixels.size(); ++i) {
    grey.pixels[i] = picture.pixels[i * channels];
  }
  return grey;
}

GenerationRequest parse_request(const json::object& o) {
  GenerationRequest request;
  request.id = text(o, "name");
  request.model = text(o, "toy");
  request.task = parse_task(text(o, "task"));
  request.prompt.text = text(o, "prompt");
  request.prompt.text_2 = optional_text(o, "prompt_2");
  request.prompt.text_3 = optional_text(o, "prompt_3");
  request.prompt.negative = text(o, "negative");
  request.prompt.negative_2 = optional_text(o, "negative_2");
  request.prompt.negative_3 = optional_text(o, "negative_3");
  request.sampling = parse_sampling(o);
  request.size = {static_cast<int>(integer(o, "width", 0)),
                  static_cast<int>(integer(o, "height", 0))};
  request.image_count = static_cast<int>(integer(o, "n", 1));
  request.truncates_prompt = true;  // as diffusers does
  request.prompt_reading = {.chunks_max = static_cast<int>(integer(o, "chunks_max", 1)),
                            .has_weights = o.contains("weights")};
  if (const auto* adapters = o.if_contains("adapters")) {
    for (const auto& member : adapters->as_object()) {
      request.adapters.push_back(
          {.name = member.key(), .scale = member.value().to_number<double>()});
    }
  }
  if (const auto file = optional_text(o, "image")) {
    request.init_image = std::make_shared<const Image>(read_picture(data_dir() / *file));
  }
  if (const auto file = optional_text(o, "mask")) {
    request.mask = std::make_shared<const Mask>(Mask{to_grey(read_picture(data_dir() / *file))});
  }
  return request;
}

}  // namespace

std::filesystem::path data_dir() {
  if (const char* own = std::getenv("LIMNER_PARITY_DATA")) return own;
  return std::filesystem::path(LIMNER_SOURCE_DIR) / "tests" / "parity" / "data";
}

std::filesystem::path model_dir(const std::string& model) {
  const auto toy = data_dir() / "models" / model;
  return std::filesystem::exists(toy) ? toy
                                      : std::filesystem::path(LIMNER_SOURCE_DIR) / "models" / model;
}

std::string test_name(const testing::TestParamInfo<std::string>& model) {
  std::string name = model.param;
  std::ranges::replace(name, '-', '_');
  return name;
}

Image read_picture(const std::filesystem::path& file) {
  const std::string bytes = required(read_file(file, 16 << 20), file.filename());
  const auto* data = reinterpret_cast<const std::uint8_t*>(bytes.data());
  return required(codec::decode_image({data, bytes.size()}), file.filename());
}

std::map<std::string, std::vector<Case>> read_manifest(const std::filesystem::path& path) {
  std::map<std::string, std::vector<Case>> cases;
  const json::value manifest = required(read_json_file(path), path.filename());
  const json::object& limits = manifest.at("tolerance").as_object();
  const Tolerance tolerance{number(limits, "mean_abs_difference_8bit", 0),
                            number(limits, "psnr_db", 0)};
  for (const auto& value : manifest.at("cases").as_array()) {
    const json::object& o = value.as_object();
    auto request = parse_request(o);
    cases[request.model].push_back(
        {text(o, "name"), request, data_dir() / text(o, "file"), tolerance});
  }
  return cases;
}

std::map<std::string, std::vector<Case>> read_manifests() {
  std::map<std::string, std::vector<Case>> cases;
  for (const auto& entry : std::filesystem::directory_iterator(data_dir())) {
    const std::string file = entry.path().filename();
    if (!file.starts_with("manifest-") || entry.path().extension() != ".json") continue;
    for (auto& [model, of_model] : read_manifest(entry.path())) {
      auto& all = cases[model];
      all.insert(all.end(), of_model.begin(), of_model.end());
    }
  }
  return cases;
}

}  // namespace limner::parity
