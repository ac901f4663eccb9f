#include <cstdio>

#include <fmt/format.h>

#include "api/picture_text.hpp"
#include "app/commands.hpp"
#include "app/model_folders.hpp"
#include "app/paint.hpp"
#include "app/pipelines_source.hpp"
#include "app/progress_bar.hpp"
#include "base/files.hpp"
#include "base/utf8.hpp"
#include "codec/encode.hpp"
#include "diffusion/pipelines/adapters.hpp"

namespace limner::app {
namespace {

// apple.png → apple-2.png when there are several.
std::filesystem::path file_name(const std::filesystem::path& output, int index, int count) {
  if (count == 1) return output;
  auto name = output;
  return name.replace_filename(
      fmt::format("{}-{}{}", output.stem().string(), index + 1, output.extension().string()));
}

Result<codec::ImageFormat> format_of(const std::filesystem::path& output) {
  const auto extension = output.extension().string();
  const auto format = codec::parse_image_format(extension.empty() ? "" : extension.substr(1));
  if (!format) {
    return invalid_value("",
                         fmt::format("--output: got \"{}\", expected a name that ends in .png, "
                                     ".jpg or .webp",
                                     output.string()),
                         "invalid_config");
  }
  return *format;
}

// What can be known before the model is loaded and minutes have gone into a picture.
Result<void> check_words(const config::PaintConfig& paint) {
  if (paint.prompt.empty()) {
    return invalid_value("", "PROMPT: empty, expected a description of the picture");
  }
  if (!is_valid_utf8(paint.prompt)) return invalid_value("", "PROMPT: not valid UTF-8");
  if (!is_valid_utf8(paint.negative_prompt)) {
    return invalid_value("", "--negative: not valid UTF-8");
  }
  const auto folder = paint.output.parent_path();
  std::error_code failed;
  if (folder.empty() || std::filesystem::is_directory(folder, failed)) return {};
  return invalid_value("", fmt::format("--output: there is no folder {}", folder.string()));
}

Result<void> write_images(const PaintResult& result, const std::filesystem::path& output,
                          codec::ImageFormat format) {
  const int count = static_cast<int>(result.images.size());
  for (int i = 0; i < count; ++i) {
    const auto seed = result.request.sampling.seed + static_cast<std::uint64_t>(i);
    auto file = codec::encode_image(
        result.images[static_cast<std::size_t>(i)],
        {.format = format,
         .quality = format == codec::ImageFormat::Jpeg ? 95 : 100,
         .metadata = api::picture_text(result.request, result.effective, seed)});
    if (!file) return file.error();
    const auto path = file_name(output, i, count);
    const std::string_view bytes(reinterpret_cast<const char*>(file->data()), file->size());
    if (auto written = write_file(path, bytes); !written) return written;
    fmt::print("{}  seed {}  {}\n", path.string(), seed, to_string(result.effective.size));
  }
  return {};
}

Result<void> generate_files(const config::Config& config) {
  auto format = format_of(config.paint.output);
  if (!format) return format.error();
  if (auto checked = check_words(config.paint); !checked) return checked;
  auto models = models_to_serve(config);
  if (!models) return models.error();
  const auto& model = models->front();
  PipelinesSource source(config, *models);
  auto pipeline = source.open(model.name);
  if (!pipeline) return pipeline.error();
  auto words = request_of(config, model.policy, (*pipeline)->traits());
  if (!words) return words.error();
  auto request = pipelines::with_adapters_of_prompt(*std::move(words), (*pipeline)->traits());
  if (!request) return request.error();
  if (!request->adapters.empty()) pipeline = source.open(model.name, request->adapters);
  if (!pipeline) return pipeline.error();
  auto result = [&] {
    ProgressBar bar(config.paint.is_quiet);
    return paint(**pipeline, *request, [&](int step, int count) { bar.show(step, count); });
  }();
  if (!result) return result.error();
  for (const auto& note : result->effective.notes) fmt::print(stderr, "limner: note: {}\n", note);
  return write_images(*result, config.paint.output, *format);
}

}  // namespace

int generate(const config::Config& config) {
  const auto done = generate_files(config);
  if (done) return kExitGood;
  fmt::print(stderr, "limner: {}\n", done.error().message);
  if (!done.error().detail.empty()) fmt::print(stderr, "  {}\n", done.error().detail);
  return kExitFailed;
}

}  // namespace limner::app
