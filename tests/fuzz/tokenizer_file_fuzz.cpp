// A tokenizer's files may hold anything: they are refused, or the tokenizer encodes. The first byte
// chooses the file that the rest is.
#include <array>
#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include <unistd.h>

#include "base/check.hpp"
#include "base/files.hpp"
#include "diffusion/tokenizers/clip_tokenizer.hpp"
#include "diffusion/tokenizers/t5_tokenizer.hpp"

namespace {

namespace fs = std::filesystem;
namespace tokenizers = limner::tokenizers;

constexpr std::array kFiles = {
    "spiece.model", "tokenizer.json", "tokenizer_config.json", "special_tokens_map.json",
    "merges.txt",   "vocab.json"};

template <typename Tokenizer>
void try_to_load(const fs::path& folder) {
  const auto tokenizer = Tokenizer::load(folder);
  if (!tokenizer) {
    LIMNER_CHECK(!tokenizer.error().message.empty());
    return;
  }
  const auto row = tokenizer->encode_truncated("a Cat's <|endoftext|></s> ﬁ é 猫 12", 8);
  LIMNER_CHECK(row.ids.size() == 8);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  if (size < 1) return 0;
  static const fs::path folder =
      fs::temp_directory_path() / ("limner_tokenizer_fuzz_" + std::to_string(::getpid()));
  static const fs::path golden = fs::path(LIMNER_SOURCE_DIR) / "tests/golden/tokenizers";
  fs::remove_all(folder);
  fs::create_directories(folder);
  const std::string file = kFiles[data[0] % kFiles.size()];
  // Configurations need a tokenizer that they configure.
  if (file == "tokenizer_config.json" || file == "special_tokens_map.json") {
    fs::copy_file(golden / "clip_small/tokenizer.json", folder / "tokenizer.json");
  }
  if (file == "merges.txt") {
    const auto vocab = limner::write_file(folder / "vocab.json", R"({"a": 0, "b": 1})");
    LIMNER_CHECK(vocab.has_value());
  }
  const auto written =
      limner::write_file(folder / file, {reinterpret_cast<const char*>(data) + 1, size - 1});
  LIMNER_CHECK(written.has_value());
  try_to_load<tokenizers::ClipTokenizer>(folder);
  try_to_load<tokenizers::T5Tokenizer>(folder);
  fs::remove_all(folder);
  return 0;
}
