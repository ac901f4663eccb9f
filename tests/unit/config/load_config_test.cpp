#include "config/load_config.hpp"

#include <filesystem>
#include <fstream>
#include <set>

#include <gmock/gmock.h>

#include "config/settings.hpp"

namespace limner::config {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

Result<Config> load(std::vector<const char*> arguments, Environment environment = {}) {
  arguments.insert(arguments.begin(), "limner");
  environment.emplace("HOME", "/home/somebody");
  return load_config(static_cast<int>(arguments.size()), arguments.data(), environment);
}

std::string message(const Result<Config>& config) {
  return config ? "no error" : config.error().message;
}

// A configuration file that goes away with the test.
class ConfigFile {
 public:
  explicit ConfigFile(std::string_view text) {
    static int count = 0;
    dir_ = std::filesystem::path(::testing::TempDir()) /
           ("limner_config_" + std::to_string(::getpid()) + "_" + std::to_string(++count));
    std::filesystem::create_directories(dir_);
    std::ofstream(path()) << text;
  }
  ~ConfigFile() {
    std::error_code ignored;  // a folder that stays behind is no failure of the test
    std::filesystem::remove_all(dir_, ignored);
  }
  std::string path() const { return (dir_ / "limner.yaml").string(); }
  std::filesystem::path folder() const { return dir_; }

 private:
  std::filesystem::path dir_;
};

Result<Config> load_file(std::string_view text) {
  const ConfigFile file(text);
  const auto path = file.path();
  return load({"serve", "--config", path.c_str()});
}

TEST(LoadConfig, ServesOnLoopbackWithoutAnyOption) {
  const auto config = load({"serve"});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->command, Command::Serve);
  EXPECT_EQ(config->host, "127.0.0.1");
  EXPECT_EQ(config->port, 8080);
  EXPECT_THAT(config->models, IsEmpty());
  EXPECT_EQ(config->cache_dir, "/home/somebody/.cache/limner");
  EXPECT_EQ(config->images_dir, "/home/somebody/.cache/limner/images");
  EXPECT_EQ(config->keys_db, "/home/somebody/.local/share/limner/keys.db");
}

TEST(LoadConfig, AFlagBeatsTheEnvironmentWhichBeatsTheFile) {
  const ConfigFile file("port: 1\nqueue_size: 1\nthreads: 1\n");
  const auto path = file.path();
  const auto config = load({"serve", "--port", "3", "-c", path.c_str()},
                           {{"LIMNER_PORT", "2"}, {"LIMNER_QUEUE_SIZE", "2"}});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->port, 3);
  EXPECT_EQ(config->queue_size, 2u);
  EXPECT_EQ(config->threads, 1);
}

TEST(LoadConfig, TakesTheFileFromTheEnvironment) {
  const ConfigFile file("port: 7\n");
  const auto config = load({"serve"}, {{"LIMNER_CONFIG", file.path()}});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->port, 7);
}

TEST(LoadConfig, AnEmptyVariableIsAbsent) {
  const auto config = load({"serve"}, {{"LIMNER_PORT", ""}});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->port, 8080);
}

TEST(LoadConfig, RepeatsModelsAndSplitsThemInTheEnvironment) {
  const auto flags = load({"serve", "--model", "a=/m/a", "-m", "/m/b/"});
  ASSERT_TRUE(flags) << message(flags);
  ASSERT_EQ(flags->models.size(), 2u);
  EXPECT_EQ(flags->models[0].name, "a");
  EXPECT_EQ(flags->models[0].path, "/m/a");
  EXPECT_EQ(flags->models[1].name, "b");

  const auto variables = load({"serve"}, {{"LIMNER_MODEL", "a=/m/a,b=/m/b"}});
  ASSERT_TRUE(variables) << message(variables);
  EXPECT_EQ(variables->models.size(), 2u);
}

TEST(LoadConfig, AModelFlagKeepsTheLimitsThatTheFileGivesThatModel) {
  const ConfigFile file("models:\n  a:\n    path: old\n    max_steps: 30\n  b: other\n");
  const auto path = file.path();
  const auto config = load({"serve", "-c", path.c_str(), "--model", "a=/new"});
  ASSERT_TRUE(config) << message(config);
  ASSERT_EQ(config->models.size(), 1u);
  EXPECT_EQ(config->models[0].path, "/new");
  EXPECT_EQ(config->models[0].policy.max_steps, 30);
}

TEST(LoadConfig, PartsThatLieElsewhereGoToModelsThatHaveNoneOfTheirOwn) {
  const ConfigFile file("models:\n  a:\n    path: a.safetensors\n    vae: own\n  b: b\n");
  const auto path = file.path();
  const auto config = load({"serve", "-c", path.c_str(), "--vae", "v.safetensors", "--lora-dir",
                            "loras", "--text-encoder", "text_encoder_2=t5"});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->models[0].extras.vae, file.folder() / "own");
  EXPECT_EQ(config->models[1].extras.vae, "v.safetensors");
  EXPECT_EQ(config->models[0].extras.lora_dir, "loras");
  EXPECT_EQ(config->models[1].extras.text_encoders.at("text_encoder_2"), "t5");
  EXPECT_THAT(message(load({"serve", "--vae", "x"})), HasSubstr("--vae: needs --model"));
  EXPECT_THAT(message(load({"serve", "-m", "a", "--text-encoder", "t5"})),
              HasSubstr("text_encoder_2"));
}

TEST(LoadConfig, ACheckpointIsNamedAfterItsFile) {
  const auto config = load({"serve", "--model", "dir/sd-v1-5.safetensors"});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->models[0].name, "sd-v1-5");
}

TEST(LoadConfig, ReadsAModelsLimitsAndDefaults) {
  const ConfigFile file(R"(
models:
  sd:
    path: weights/sd
    max_resolution: 1024x768
    allowed_resolutions: [512x512, 768x512]
    default_resolution: 512x512
    max_images: 4
    default_steps: 20
    max_steps: 60
    guidance_scale: 5
    strength: 0.5
    scheduler: dpmpp_2m
    negative_prompt: blurry
aliases:
  gpt-image-1: sd
api_keys: [one-0123456789abcdef, two-0123456789abcdef]
strict: yes
images_ttl: 2h
images_limit: 64MiB
)");
  const auto path = file.path();
  const auto config = load({"serve", "-c", path.c_str()});
  ASSERT_TRUE(config) << message(config);
  const auto& model = config->models.at(0);
  EXPECT_EQ(model.path, file.folder() / "weights/sd");
  EXPECT_EQ(model.policy.max_resolution, (ImageSize{1024, 768}));
  EXPECT_THAT(model.policy.allowed_resolutions,
              ElementsAre(ImageSize{512, 512}, ImageSize{768, 512}));
  EXPECT_EQ(model.policy.max_images, 4);
  EXPECT_EQ(model.policy.default_steps, 20);
  EXPECT_EQ(model.policy.max_steps, 60);
  EXPECT_EQ(model.policy.guidance_scale, 5.0);
  EXPECT_EQ(model.policy.strength, 0.5);
  EXPECT_EQ(model.policy.scheduler, SchedulerKind::Dpmpp2m);
  EXPECT_EQ(model.policy.negative_prompt, "blurry");
  EXPECT_EQ(config->aliases.at("gpt-image-1"), "sd");
  EXPECT_THAT(config->api_keys, ElementsAre("one-0123456789abcdef", "two-0123456789abcdef"));
  EXPECT_TRUE(config->is_strict);
  EXPECT_EQ(config->images_ttl, std::chrono::hours(2));
  EXPECT_EQ(config->images_bytes_max, 64u << 20);
}

TEST(LoadConfig, AnUnknownKeyIsAnErrorWithItsLineAndTheNearestKey) {
  EXPECT_THAT(message(load_file("host: ::1\nprot: 80\n")),
              HasSubstr("limner.yaml:2: unknown key \"prot\"; did you mean \"port\"?"));
  EXPECT_THAT(message(load_file("models:\n  a:\n    path: x\n    max_step: 3\n")),
              HasSubstr("limner.yaml:4: unknown key \"max_step\"; did you mean \"max_steps\"?"));
  EXPECT_THAT(message(load_file("zzzzzzzzzzzz: 1\n")), HasSubstr("docs/config.md"));
}

TEST(LoadConfig, ErrorsSayWhereWhatAndWhatIsAllowed) {
  EXPECT_THAT(message(load({"serve", "--port", "http"})),
              HasSubstr("--port: got \"http\", expected a whole number from 0 to 65535"));
  EXPECT_THAT(message(load({"serve"}, {{"LIMNER_PRECISION", "f16"}})),
              HasSubstr("LIMNER_PRECISION: got \"f16\", expected auto, f32 or bf16"));
  EXPECT_THAT(message(load_file("\nthreads: many\n")), HasSubstr("limner.yaml:2: threads: got"));
  EXPECT_THAT(message(load_file("a: [\n")), HasSubstr("not YAML"));
  EXPECT_THAT(message(load_file("models:\n  a:\n    max_steps: 3\n")),
              HasSubstr("limner.yaml:2: models: a: the key \"path\" is missing"));
  EXPECT_THAT(message(load_file("port: [1, 2]\n")), HasSubstr("expected one value"));
  EXPECT_THAT(message(load_file("port: 1\nport: 2\n")), HasSubstr("given twice"));
  EXPECT_THAT(message(load({"serve", "--nonsense"})), HasSubstr("See `limner serve --help`"));
  EXPECT_THAT(message(load({"generate"})), HasSubstr("PROMPT"));
  EXPECT_THAT(message(load({"serve", "--config", "/nowhere/limner.yaml"})), HasSubstr("nowhere"));
  EXPECT_THAT(message(load({"serve", "--model", "a=/x", "--model", "a=/y"})),
              HasSubstr("each model name once"));
  EXPECT_THAT(message(load({"generate", "x", "--mask", "m.png"})), HasSubstr("--init-image"));
}

TEST(LoadConfig, ReadsWhatToGenerate) {
  const auto config =
      load({"generate", "a red apple", "-o", "x.webp", "--seed", "18446744073709551615", "--steps",
            "4", "--guidance", "2.5", "--size", "128x256", "--scheduler", "euler_a", "--n", "2"});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->command, Command::Generate);
  EXPECT_EQ(config->paint.prompt, "a red apple");
  EXPECT_EQ(config->paint.output, "x.webp");
  EXPECT_EQ(config->paint.seed, 18446744073709551615u);
  EXPECT_EQ(config->paint.steps, 4);
  EXPECT_EQ(config->paint.guidance_scale, 2.5);
  EXPECT_EQ(config->paint.size, (ImageSize{128, 256}));
  EXPECT_EQ(config->paint.scheduler, SchedulerKind::EulerAncestral);
  EXPECT_EQ(config->paint.image_count, 2);
}

TEST(LoadConfig, ReadsKeyCommands) {
  const auto config = load({"keys", "create", "shop", "--key-model", "a", "--key-expires", "30d"});
  ASSERT_TRUE(config) << message(config);
  EXPECT_EQ(config->command, Command::KeysCreate);
  EXPECT_EQ(config->keys.name, "shop");
  EXPECT_THAT(config->keys.models, ElementsAre("a"));
  EXPECT_EQ(config->keys.expires_in, std::chrono::days(30));
}

TEST(LoadConfig, AKeyThatCanBeGuessedRefusesTheStart) {
  for (const char* key : {"", " ", "x", "fifteen-letters", "sixteen characters", "sixteen\tletters",
                          "k\xC3\xA4lte-kaelte-kaelte"}) {
    const auto by_flag = load({"serve", "--api-key", key});
    EXPECT_THAT(message(by_flag), HasSubstr("--api-key: the key ")) << key;
    EXPECT_THAT(message(by_flag), HasSubstr("limner keys create")) << key;
    if (std::string_view(key).size() > 1) {
      EXPECT_THAT(message(by_flag), Not(HasSubstr(key))) << "no key in a message";
    }
  }
  EXPECT_TRUE(load({"serve", "--api-key", "sixteen-letters!"}));
  const std::string longest(512, 'k');
  EXPECT_TRUE(load({"serve", "--api-key", longest.c_str()}));
  EXPECT_FALSE(load({"serve", "--api-key", (longest + "k").c_str()}));
}

TEST(LoadConfig, AListOfKeysMustHoldKeys) {
  for (const auto* line :
       {"api_keys: \"\"", "api_keys: [\"\"]", "api_keys: [\"   \"]", "api_keys: [12345]",
        "api_keys: [null]", "api_keys: {a: b}", "api_keys: {a: sixteen-letters!}",
        "api_keys: [[sixteen-letters!]]", "api_keys: [sixteen-letters!, x]"}) {
    EXPECT_THAT(message(load_file(line)), HasSubstr("limner.yaml:1: api_keys")) << line;
  }
  for (const auto* value : {" ", ",", "x", "sixteen-letters!,x"}) {
    EXPECT_THAT(message(load({"serve"}, {{"LIMNER_API_KEY", value}})),
                HasSubstr("LIMNER_API_KEY: "))
        << value;
  }
  EXPECT_THAT(
      load({"serve"}, {{"LIMNER_API_KEY", "sixteen-letters!,seventeen-letters,"}})->api_keys,
      ElementsAre("sixteen-letters!", "seventeen-letters"));
}

TEST(LoadConfig, OnlyPairsAreWrittenAsAMapping) {
  EXPECT_THAT(message(load_file("cors_origins: {a: b}")), HasSubstr("expected a list"));
  EXPECT_THAT(message(load_file("image_url_hosts: {a: b}")), HasSubstr("expected a list"));
  EXPECT_EQ(load_file("aliases: {a: b}")->aliases.at("a"), "b");
}

TEST(LoadConfig, WhatIsOverriddenMustBeRightToo) {
  const ConfigFile file("port: 99999\n");
  const auto path = file.path();
  EXPECT_THAT(message(load({"serve", "--config", path.c_str(), "--port", "9000"})),
              HasSubstr("limner.yaml:1: port: got \"99999\""));
  EXPECT_THAT(message(load({"serve", "--port", "9000"}, {{"LIMNER_PORT", "x"}})),
              HasSubstr("LIMNER_PORT"));
  EXPECT_EQ(load({"serve", "--port", "9000"}, {{"LIMNER_PORT", "9001"}})->port, 9000);
}

TEST(LoadConfig, AKeyThatIsDeadWhenItIsMadeIsRefused) {
  for (const char* time : {"0", "0s", "0d", "-1d", "1000000000000000000d"}) {
    EXPECT_THAT(message(load({"keys", "create", "x", "--key-expires", time})),
                HasSubstr("--key-expires"))
        << time;
  }
}

TEST(LoadConfig, HelpNamesTheCommandAndItsExamples) {
  EXPECT_THAT(load({})->help, HasSubstr("limner generate \"a red apple\""));
  const auto serve = load({"serve", "--help"});
  ASSERT_TRUE(serve) << message(serve);
  EXPECT_EQ(serve->command, Command::Help);
  EXPECT_THAT(serve->help, HasSubstr("--queue-size"));
  EXPECT_THAT(serve->help, HasSubstr("Examples:"));
}

TEST(LoadConfig, WarnsAboutAVariableThatNothingReads) {
  const auto config = load({"serve"}, {{"LIMNER_PROT", "9"}});
  ASSERT_TRUE(config) << message(config);
  EXPECT_THAT(config->warnings, ElementsAre(HasSubstr("did you mean LIMNER_PORT?")));
}

TEST(Settings, KeysAndVariablesAreUniqueWithinACommand) {
  std::set<std::string_view> keys;
  std::set<std::string> variables;
  for (const auto& setting : settings()) {
    EXPECT_TRUE(keys.insert(setting.key).second) << setting.key;
    EXPECT_TRUE(variables.insert(setting.environment_name()).second) << setting.key;
  }
}

TEST(LoadConfig, SaysWhichOptionWasProbablyMeant) {
  EXPECT_THAT(message(load({"generate", "x", "--step", "3"})),
              HasSubstr("unknown option --step; did you mean --steps?"));
  EXPECT_THAT(message(load({"serve", "--hots=::1"})), HasSubstr("did you mean --host?"));
  EXPECT_THAT(message(load({"generate", "a", "red", "apple"})),
              HasSubstr("a prompt of several words needs quotes"));
}

}  // namespace
}  // namespace limner::config
