// API keys in a SQLite file: made, listed and revoked by the command line, checked by the server.
#pragma once

#include <chrono>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "auth/database.hpp"
#include "auth/key_hash.hpp"
#include "base/clock.hpp"
#include "base/guarded.hpp"
#include "base/result.hpp"

namespace limner::auth {

using WallTime = std::chrono::system_clock::time_point;

struct KeyRecord {
  std::string id;      // "key_3f09c2a17b5e"
  std::string prefix;  // six characters of the key, to recognise it
  std::string name;
  WallTime created = {};
  std::optional<WallTime> expires = std::nullopt;
  std::optional<WallTime> revoked = std::nullopt;
  std::vector<std::string> models = {};  // empty: all

  bool is_expired(WallTime now) const { return expires && *expires <= now; }
};

struct NewKeyOptions {
  std::string name = {};
  std::vector<std::string> models = {};
  std::optional<std::chrono::seconds> expires_in = std::nullopt;
};

inline constexpr std::size_t kKeyNameCharsMax = 200;

struct NewKey {
  KeyRecord record;
  std::string secret;  // shown now and never again
};

// Any thread. Another process may write to the same file: what it does counts at once.
class KeyStore {
 public:
  // Makes the file, and `path`.pepper beside it, when there are none. `clock` outlives the store.
  static Result<std::unique_ptr<KeyStore>> open(const std::filesystem::path& path,
                                                const Clock& clock);

  // InvalidArgument for a name or a model that is no plain text: they are printed as they are.
  Result<NewKey> create(const NewKeyOptions& options);
  // Oldest first, revoked and expired ones too.
  Result<std::vector<KeyRecord>> list();
  // NotFound when there is no such id. Revoking twice keeps the first time.
  Result<KeyRecord> revoke(std::string_view id);

  // The record of a key that a client sent, whatever its state; empty when it was never made here.
  Result<std::optional<KeyRecord>> find(std::string_view secret);
  // True once any key was made, also when all are revoked by now.
  Result<bool> has_keys();

 private:
  KeyStore(Database database, Pepper pepper, const Clock& clock)
      : clock_(clock), pepper_(pepper), database_(std::move(database)) {}

  static Result<void> migrate(Database& database);
  static Result<bool> has_keys(Database& database);
  static Result<void> insert(Database& database, const KeyRecord& record, const KeyDigest& digest);
  static Result<void> read_models(Database& database, KeyRecord& record);
  static Result<std::optional<KeyRecord>> find_id(Database& database, std::string_view id);

  const Clock& clock_;
  const Pepper pepper_;
  Guarded<Database> database_;
};

}  // namespace limner::auth
