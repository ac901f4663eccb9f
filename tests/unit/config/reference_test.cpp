// docs/config.md holds tables made from the settings; this keeps them equal.
#include <cstdlib>
#include <filesystem>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "base/files.hpp"
#include "config/settings.hpp"

namespace limner::config {
namespace {

constexpr std::string_view kBegin = "<!-- made from src/config: begin -->\n";
constexpr std::string_view kEnd = "<!-- made from src/config: end -->\n";

std::string cell(std::string_view text) {
  std::string out;
  for (const char c : text) out += c == '|' ? std::string("\\|") : std::string(1, c);
  return out;
}

std::string commands_of(unsigned commands) {
  constexpr std::pair<unsigned, std::string_view> kNames[] = {{kServe, "serve"},
                                                              {kGenerate, "generate"},
                                                              {kModels, "models"},
                                                              {kBench, "bench"},
                                                              {kKeys, "keys"}};
  std::string out;
  for (const auto& [bit, name] : kNames) {
    if ((commands & bit) == 0) continue;
    if (!out.empty()) out += ", ";
    out += name;
  }
  return out;
}

std::string tables() {
  std::string out;
  std::string_view group;
  for (const auto& setting : settings()) {
    if (setting.group != group) {
      group = setting.group;
      out += fmt::format(
          "\n### {}\n\n| flag | environment | file | commands | what it does [default] |\n"
          "| --- | --- | --- | --- | --- |\n",
          group);
    }
    const std::string value = setting.value.empty() ? "" : fmt::format(" {}", setting.value);
    out += fmt::format("| `{}{}` | `{}` | `{}` | {} | {} |\n", setting.flag, value,
                       setting.environment_name(), setting.key, commands_of(setting.commands),
                       cell(setting.help));
  }
  out +=
      "\n### One model, in the file below `models: NAME:`\n\n| key | value | what it does |\n"
      "| --- | --- | --- |\n";
  for (const auto& setting : model_settings()) {
    out +=
        fmt::format("| `{}` | {} | {} |\n", setting.key, cell(setting.value), cell(setting.help));
  }
  return out + "\n";
}

// LIMNER_UPDATE_DOCS=1 writes the tables instead of comparing them.
TEST(ConfigReference, TablesInTheDocsAreTheSettings) {
  const auto path = std::filesystem::path(LIMNER_SOURCE_DIR) / "docs" / "config.md";
  const auto bytes = read_file(path, 1u << 20);
  ASSERT_TRUE(bytes) << bytes.error().message;
  std::string text(bytes->begin(), bytes->end());
  const auto begin = text.find(kBegin);
  const auto end = text.find(kEnd);
  ASSERT_NE(begin, std::string::npos);
  ASSERT_NE(end, std::string::npos);
  const auto from = begin + kBegin.size();
  if (std::getenv("LIMNER_UPDATE_DOCS") != nullptr) {
    text.replace(from, end - from, tables());
    ASSERT_TRUE(write_file(path, text));
    return;
  }
  EXPECT_EQ(text.substr(from, end - from), tables())
      << "run this test once with LIMNER_UPDATE_DOCS=1";
}

}  // namespace
}  // namespace limner::config
