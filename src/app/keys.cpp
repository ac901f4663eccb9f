#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <string>

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include "app/commands.hpp"
#include "app/model_folders.hpp"
#include "auth/key_store.hpp"

namespace limner::app {
namespace {

std::string date(auth::WallTime time) {
  return fmt::format("{:%Y-%m-%d}", fmt::gmtime(std::chrono::system_clock::to_time_t(time)));
}

std::string state_of(const auth::KeyRecord& key) {
  if (key.revoked) return "revoked " + date(*key.revoked);
  if (key.is_expired(system_clock().wall_now())) return "expired " + date(*key.expires);
  return key.expires ? "until " + date(*key.expires) : "valid";
}

std::string models_of(const auth::KeyRecord& key) {
  return key.models.empty() ? "all" : fmt::format("{}", fmt::join(key.models, ","));
}

int fail(const Error& error) {
  fmt::print(stderr, "limner: {}{}{}\n", error.message, error.detail.empty() ? "" : ": ",
             error.detail);
  return error.kind == ErrorKind::Internal ? kExitFailed : kExitUsage;
}

// A slip of the pen would only show when the key is used. The server may be given other models than
// this command, so it is no more than a warning.
void warn_of_unknown_models(const config::Config& config) {
  const auto models = models_to_serve(config);
  if (!models) return;
  std::vector<std::string> names;
  for (const auto& model : *models) names.push_back(model.name);
  for (const auto& asked : config.keys.models) {
    if (std::ranges::find(names, asked) != names.end()) continue;
    const auto alias = config.aliases.find(asked);
    fmt::print(stderr, "limner: warning: --key-model {}: {}\n", asked,
               alias != config.aliases.end()
                   ? fmt::format("is another name of {}, which the key must name",
                                 alias->second.substr(0, alias->second.find('<')))
                   : fmt::format("no such model is configured here, only {}; the key is of use "
                                 "once one is served under this name",
                                 fmt::join(names, ", ")));
  }
}

// Keys of older versions may be named with anything.
std::string printable(std::string_view text) {
  std::string shown;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    shown += byte < 0x20 || byte == 0x7F ? std::string("?") : std::string(1, c);
  }
  return shown;
}

// The secret alone on stdout, so that a script can take it; the rest on stderr.
int create(auth::KeyStore& store, const config::Config& config) {
  const auto& asked = config.keys;
  const auto had_keys = store.has_keys();
  if (!had_keys) return fail(had_keys.error());
  auto made =
      store.create({.name = asked.name, .models = asked.models, .expires_in = asked.expires_in});
  if (!made) return fail(made.error());
  warn_of_unknown_models(config);
  fmt::print("{}\n", made->secret);
  fmt::print(stderr, "{} for \"{}\", models: {}, {}. The key is shown only now.\n", made->record.id,
             made->record.name, models_of(made->record), state_of(made->record));
  if (!*had_keys)
    fmt::print(stderr, "It is the first: a server that runs must read its keys again (SIGHUP).\n");
  return kExitGood;
}

int list(auth::KeyStore& store) {
  const auto keys = store.list();
  if (!keys) return fail(keys.error());
  fmt::print("{:<18} {:<10} {:<12} {:<19} {:<20} {}\n", "ID", "KEY", "CREATED", "STATE", "MODELS",
             "NAME");
  for (const auto& key : *keys) {
    fmt::print("{:<18} ik-{}… {:<12} {:<19} {:<20} {}\n", key.id, key.prefix, date(key.created),
               state_of(key), printable(models_of(key)), printable(key.name));
  }
  return kExitGood;
}

int revoke(auth::KeyStore& store, const std::string& id) {
  const auto key = store.revoke(id);
  if (!key) return fail(key.error());
  fmt::print("{} (\"{}\") is {}\n", key->id, printable(key->name), state_of(*key));
  return kExitGood;
}

}  // namespace

int keys(const config::Config& config) {
  // Only its owner may enter: key_store makes the files within readable by him alone.
  std::error_code failed;
  if (std::filesystem::create_directories(config.keys_db.parent_path(), failed)) {
    std::filesystem::permissions(config.keys_db.parent_path(), std::filesystem::perms::owner_all,
                                 failed);
  }
  auto store = auth::KeyStore::open(config.keys_db, system_clock());
  if (!store) return fail(store.error());
  switch (config.command) {
    case config::Command::KeysCreate:
      return create(**store, config);
    case config::Command::KeysRevoke:
      return revoke(**store, config.keys.name);
    default:
      return list(**store);
  }
}

}  // namespace limner::app
