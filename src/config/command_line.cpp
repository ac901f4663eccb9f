#include "config/command_line.hpp"

#include <algorithm>

#include <CLI/CLI.hpp>
#include <fmt/format.h>

#include "config/nearest.hpp"
#include "config/settings.hpp"

namespace limner::config {
namespace {

constexpr std::string_view kFooter = R"(
Every option is also an environment variable (--queue-size is LIMNER_QUEUE_SIZE) and a key of the
--config file (queue_size). A flag beats the environment, which beats the file.)";

constexpr std::string_view kMainFooter = R"(
Examples:
  limner serve                                   serve the embedded model on 127.0.0.1:8080
  limner serve --model sd15=/models/sd-v1-5      serve a diffusers folder
  limner generate "a red apple" -o apple.png     paint one picture, no server needed
  limner serve --help                            every option of serve)";

constexpr std::string_view kServeFooter = R"(
Examples:
  limner serve --port 9000
  limner serve --model sdxl=/models/sdxl --model small=/models/sd15 --alias gpt-image-1=sdxl
  limner serve --host 0.0.0.0 --config limner.yaml)";

constexpr std::string_view kGenerateFooter = R"(
Examples:
  limner generate "a red apple" -o apple.png --seed 7
  limner generate "a cat" --model /models/sd15 --size 512x512 --steps 25 --scheduler dpmpp_2m
  limner generate "a purple apple" --init-image apple.png --strength 0.6 -o purple.webp)";

constexpr std::string_view kKeysFooter = R"(
Examples:
  limner keys create "the web shop" --key-model sdxl --key-expires 90d
  limner keys list
  limner keys revoke key_1f9c)";

// What CLI11 writes into while it parses.
struct Collected {
  std::map<std::string, std::vector<std::string>> texts;
  std::map<std::string, bool> switches;
};

void add_settings(CLI::App& app, unsigned command, Collected& into) {
  for (const auto& setting : settings()) {
    if ((setting.commands & command) == 0) continue;
    const std::string key(setting.key);
    CLI::Option* option = nullptr;
    if (setting.arity == Arity::Switch) {
      option = app.add_flag(std::string(setting.flag), into.switches[key]);
    } else {
      option = app.add_option(std::string(setting.flag), into.texts[key]);
      option->type_name(std::string(setting.value));
      option->expected(1)->allow_extra_args(false);
      option->multi_option_policy(setting.arity == Arity::Many ? CLI::MultiOptionPolicy::TakeAll
                                                               : CLI::MultiOptionPolicy::Throw);
    }
    option->description(std::string(setting.help))->group(std::string(setting.group));
  }
}

struct Parser {
  CLI::App app{"limner paints pictures from text, on your own machine.", "limner"};
  CommandLine line;
  Collected collected;
  std::map<const CLI::App*, Command> commands;

  CLI::App* add(CLI::App& parent, const char* name, const char* what, Command command) {
    auto* sub = parent.add_subcommand(name, what);
    commands[sub] = command;
    if (const unsigned bit = command_bit(command); bit != 0) {
      add_settings(*sub, bit, collected);
      sub->add_option("-c,--config", line.config_file, "Configuration file (YAML)")
          ->type_name("FILE")
          ->group("General");
    }
    return sub;
  }

  Parser() {
    app.require_subcommand(0, 1);
    app.footer(std::string(kMainFooter));
    auto* serve = add(app, "serve", "Serve the images API", Command::Serve);
    serve->footer(std::string(kServeFooter) + "\n" + std::string(kFooter));
    auto* generate = add(app, "generate", "Paint a picture without a server", Command::Generate);
    generate->add_option("PROMPT", line.prompt, "What to paint")->required();
    generate->footer(std::string(kGenerateFooter) + "\n" + std::string(kFooter));
    add(app, "models", "List the models that serve would offer", Command::Models);
    auto* bench = add(app, "bench", "Measure loading, steps and pictures", Command::Bench);
    bench->add_option("PROMPT", line.prompt, "What to paint");
    auto* keys = app.add_subcommand("keys", "Create, list and revoke API keys");
    keys->require_subcommand(1);
    keys->footer(std::string(kKeysFooter));
    auto* create = add(*keys, "create", "Make a key and show it once", Command::KeysCreate);
    create->add_option("NAME", line.key_name, "What the key is for")->required();
    add(*keys, "list", "Show all keys, never their secrets", Command::KeysList);
    auto* revoke = add(*keys, "revoke", "End a key", Command::KeysRevoke);
    revoke->add_option("ID", line.key_name, "The key's id, from `limner keys list`")->required();
    add(app, "version", "Print the version", Command::Version);
  }

  // The deepest subcommand that was named, or the app itself.
  const CLI::App* named() const {
    const CLI::App* at = &app;
    while (!at->get_subcommands().empty()) at = at->get_subcommands().front();
    return at;
  }

  void take_values(const CLI::App& sub) {
    for (const auto& setting : settings()) {
      const std::string key(setting.key);
      const auto* option = sub.get_option_no_throw(setting.long_flag());
      if (option == nullptr || option->count() == 0) continue;
      const auto where = setting.long_flag();
      if (setting.arity == Arity::Switch) {
        line.values[key] = {{.text = collected.switches[key] ? "true" : "false", .where = where}};
        continue;
      }
      for (const auto& text : collected.texts[key]) {
        line.values[key].push_back({.text = text, .where = where});
      }
    }
  }
};

Error usage_error(const CLI::App& app, const std::string& message) {
  std::string command = app.get_name();
  for (const auto* up = app.get_parent(); up != nullptr; up = up->get_parent()) {
    command = up->get_name() + " " + command;
  }
  return invalid_value("", fmt::format("{}\nSee `{} --help`.", message, command), "invalid_config");
}

// CLI11 says which words were left over, in no order that helps; the first is what to look at.
std::string unexpected_words(const CLI::App& app) {
  const auto words = app.remaining();
  const auto option = std::ranges::find_if(words, [](const auto& w) { return w.starts_with("-"); });
  if (option == words.end()) {
    return fmt::format("unexpected \"{}\"; a prompt of several words needs quotes",
                       words.empty() ? "" : words.front());
  }
  std::vector<std::string> flags;
  for (const auto* known : app.get_options()) flags.push_back("--" + known->get_single_name());
  const std::vector<std::string_view> candidates(flags.begin(), flags.end());
  const auto guess = nearest(option->substr(0, option->find('=')), candidates);
  return guess.empty() ? fmt::format("unknown option {}", *option)
                       : fmt::format("unknown option {}; did you mean {}?", *option, guess);
}

}  // namespace

unsigned command_bit(Command command) {
  switch (command) {
    case Command::Serve:
      return kServe;
    case Command::Generate:
      return kGenerate;
    case Command::Models:
      return kModels;
    case Command::Bench:
      return kBench;
    case Command::KeysCreate:
    case Command::KeysList:
    case Command::KeysRevoke:
      return kKeys;
    case Command::Help:
    case Command::Version:
      return 0;
  }
  return 0;
}

Result<CommandLine> parse_command_line(int argc, const char* const* argv) {
  Parser parser;
  bool wants_version = false;
  parser.app.add_flag("--version", wants_version, "Print the version");
  try {
    parser.app.parse(argc, argv);
  } catch (const CLI::CallForHelp&) {
    parser.line.help = parser.named()->help();
    return std::move(parser.line);
  } catch (const CLI::ExtrasError&) {
    return usage_error(*parser.named(), unexpected_words(*parser.named()));
  } catch (const CLI::ParseError& e) {
    return usage_error(*parser.named(), e.what());
  }
  const auto* sub = parser.named();
  const auto command = parser.commands.find(sub);
  if (command == parser.commands.end()) {
    parser.line.help = sub->help();
    if (wants_version) parser.line.command = Command::Version;
    return std::move(parser.line);
  }
  parser.line.command = command->second;
  parser.take_values(*sub);
  return std::move(parser.line);
}

}  // namespace limner::config
