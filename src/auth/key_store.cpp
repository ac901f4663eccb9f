#include "auth/key_store.hpp"

#include <utility>

#include <fmt/format.h>

#include "base/ids.hpp"
#include "base/utf8.hpp"

namespace limner::auth {
namespace {

using std::chrono::seconds;

constexpr std::int64_t kSchemaVersion = 1;
constexpr const char* kSchema = R"(
  CREATE TABLE keys (
    id TEXT PRIMARY KEY,
    digest BLOB NOT NULL UNIQUE,
    prefix TEXT NOT NULL,
    name TEXT NOT NULL,
    created_s INTEGER NOT NULL,
    expires_s INTEGER,
    revoked_s INTEGER
  ) STRICT;
  CREATE TABLE key_models (
    key_id TEXT NOT NULL REFERENCES keys(id),
    model TEXT NOT NULL,
    PRIMARY KEY (key_id, model)
  ) STRICT, WITHOUT ROWID;
  PRAGMA user_version = 1;
)";
constexpr const char* kColumns = "id, prefix, name, created_s, expires_s, revoked_s";

std::int64_t to_seconds(WallTime time) {
  return std::chrono::duration_cast<seconds>(time.time_since_epoch()).count();
}
WallTime from_seconds(std::int64_t count) {
  return WallTime(seconds(count));
}

std::optional<WallTime> from_seconds(std::optional<std::int64_t> count) {
  return count ? std::optional(from_seconds(*count)) : std::nullopt;
}

KeyRecord read_record(const Statement& row) {
  return {.id = row.text(0),
          .prefix = row.text(1),
          .name = row.text(2),
          .created = from_seconds(row.number(3)),
          .expires = from_seconds(row.optional_number(4)),
          .revoked = from_seconds(row.optional_number(5))};
}

// Characters that move a terminal's cursor or end a line: C0, DEL, C1, and U+2028, U+2029.
bool has_control_character(std::string_view text) {
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    const auto next = i + 1 < text.size() ? static_cast<unsigned char>(text[i + 1]) : 0;
    if (byte < 0x20 || byte == 0x7F || (byte == 0xC2 && next >= 0x80 && next < 0xA0)) return true;
  }
  return text.find("\u2028") != text.npos || text.find("\u2029") != text.npos;
}

Result<void> check_name(std::string_view field, std::string_view text) {
  const auto refuse = [&](std::string_view what) {
    return invalid_value(field, fmt::format("{}: {}", field, what));
  };
  if (!is_valid_utf8(text)) return refuse("got bytes that are not UTF-8");
  if (count_code_points(text) > kKeyNameCharsMax) {
    return refuse(fmt::format("at most {} characters", kKeyNameCharsMax));
  }
  if (has_control_character(text)) return refuse("holds a line break or control character");
  return {};
}

// Undone at the end of the scope, unless committed.
class Transaction {
 public:
  static Result<Transaction> begin(Database& database) {
    auto begun = database.run("BEGIN IMMEDIATE");
    if (!begun) return begun.error();
    return Transaction(database);
  }
  Transaction(Transaction&& other) noexcept : database_(std::exchange(other.database_, nullptr)) {}
  Transaction& operator=(Transaction&&) = delete;
  ~Transaction() {
    if (!database_) return;
    // Closing the file would undo it too; there is nobody left to tell.
    static_cast<void>(database_->run("ROLLBACK"));
  }
  Result<void> commit() {
    auto done = database_->run("COMMIT");
    if (done) database_ = nullptr;
    return done;
  }

 private:
  explicit Transaction(Database& database) : database_(&database) {}
  Database* database_;
};

}  // namespace

Result<std::unique_ptr<KeyStore>> KeyStore::open(const std::filesystem::path& path,
                                                 const Clock& clock) {
  auto database = Database::open(path);
  if (!database) return database.error();
  if (auto migrated = migrate(*database); !migrated) return migrated.error();
  const auto has_old_keys = has_keys(*database);
  if (!has_old_keys) return has_old_keys.error();
  auto pepper_path = path;
  pepper_path += ".pepper";
  // A new pepper beside old keys would silently lock everybody out.
  const auto pepper = load_pepper(pepper_path, !*has_old_keys);
  if (!pepper) return pepper.error();
  return std::unique_ptr<KeyStore>(new KeyStore(std::move(*database), *pepper, clock));
}

Result<void> KeyStore::migrate(Database& database) {
  auto configured = database.run(
      "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;");
  if (!configured) return configured;
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  std::int64_t version = 0;
  {
    auto asked = database.prepare("PRAGMA user_version");
    if (!asked) return asked.error();
    const auto row = asked->step();
    if (!row) return row.error();
    version = asked->number(0);
  }
  if (version > kSchemaVersion) {
    return Error{.kind = ErrorKind::Unavailable,
                 .message = fmt::format("the key store has format {}, this limner knows up to {}: "
                                        "use the newer limner",
                                        version, kSchemaVersion),
                 .code = "key_store_unusable"};
  }
  if (version == 0) {
    if (auto made = database.run(kSchema); !made) return made;
  }
  return transaction->commit();
}

Result<NewKey> KeyStore::create(const NewKeyOptions& options) {
  if (auto checked = check_name("NAME", options.name); !checked) return checked.error();
  for (const auto& model : options.models) {
    if (auto checked = check_name("--key-model", model); !checked) return checked.error();
  }
  const auto now = clock_.wall_now();
  NewKey key;
  key.secret = make_key();
  key.record.id = random_id("key_").substr(0, 16);
  key.record.prefix = key_prefix(key.secret);
  key.record.name = options.name;
  key.record.created = from_seconds(to_seconds(now));
  if (options.expires_in) key.record.expires = key.record.created + *options.expires_in;
  key.record.models = options.models;
  const auto digest = hash_key(pepper_, key.secret);
  const auto stored =
      database_.with([&](Database& database) { return insert(database, key.record, digest); });
  if (!stored) return stored.error();
  return key;
}

Result<void> KeyStore::insert(Database& database, const KeyRecord& record,
                              const KeyDigest& digest) {
  auto transaction = Transaction::begin(database);
  if (!transaction) return transaction.error();
  auto key = database.prepare(
      "INSERT INTO keys (id, digest, prefix, name, created_s, expires_s) "
      "VALUES (?, ?, ?, ?, ?, ?)");
  if (!key) return key.error();
  const auto expires = record.expires ? std::optional(to_seconds(*record.expires)) : std::nullopt;
  key->bind(0, record.id).bind(1, digest).bind(2, record.prefix).bind(3, record.name);
  key->bind(4, to_seconds(record.created)).bind(5, expires);
  if (auto done = key->step(); !done) return done.error();
  for (const auto& model : record.models) {
    auto row = database.prepare("INSERT OR IGNORE INTO key_models (key_id, model) VALUES (?, ?)");
    if (!row) return row.error();
    row->bind(0, record.id).bind(1, model);
    if (auto done = row->step(); !done) return done.error();
  }
  return transaction->commit();
}

Result<std::vector<KeyRecord>> KeyStore::list() {
  return database_.with([&](Database& database) -> Result<std::vector<KeyRecord>> {
    auto rows =
        database.prepare(fmt::format("SELECT {} FROM keys ORDER BY created_s, rowid", kColumns));
    if (!rows) return rows.error();
    std::vector<KeyRecord> records;
    for (;;) {
      const auto has_row = rows->step();
      if (!has_row) return has_row.error();
      if (!*has_row) return records;
      records.push_back(read_record(*rows));
      if (auto read = read_models(database, records.back()); !read) return read.error();
    }
  });
}

Result<KeyRecord> KeyStore::revoke(std::string_view id) {
  return database_.with([&](Database& database) -> Result<KeyRecord> {
    auto update =
        database.prepare("UPDATE keys SET revoked_s = ? WHERE id = ? AND revoked_s IS NULL");
    if (!update) return update.error();
    update->bind(0, to_seconds(clock_.wall_now())).bind(1, id);
    if (auto done = update->step(); !done) return done.error();
    auto record = find_id(database, id);
    if (!record) return record.error();
    if (!*record) {
      return Error{.kind = ErrorKind::NotFound,
                   .message = "there is no key with this id, see `limner keys list`",
                   .code = "key_not_found"};
    }
    return std::move(**record);
  });
}

Result<std::optional<KeyRecord>> KeyStore::find(std::string_view secret) {
  const auto digest = hash_key(pepper_, secret);
  return database_.with([&](Database& database) -> Result<std::optional<KeyRecord>> {
    auto row =
        database.prepare(fmt::format("SELECT {}, digest FROM keys WHERE digest = ?", kColumns));
    if (!row) return row.error();
    row->bind(0, digest);
    const auto has_row = row->step();
    if (!has_row) return has_row.error();
    // The index compares byte by byte, but digests that an attacker cannot choose; the last word is
    // a comparison in constant time.
    if (!*has_row || !are_equal(row->blob(6), digest)) return std::optional<KeyRecord>();
    auto record = read_record(*row);
    if (auto read = read_models(database, record); !read) return read.error();
    return std::optional(std::move(record));
  });
}

Result<bool> KeyStore::has_keys() {
  return database_.with([](Database& database) { return has_keys(database); });
}

Result<bool> KeyStore::has_keys(Database& database) {
  auto row = database.prepare("SELECT 1 FROM keys LIMIT 1");
  if (!row) return row.error();
  return row->step();
}

Result<void> KeyStore::read_models(Database& database, KeyRecord& record) {
  auto rows = database.prepare("SELECT model FROM key_models WHERE key_id = ? ORDER BY model");
  if (!rows) return rows.error();
  rows->bind(0, record.id);
  for (;;) {
    const auto has_row = rows->step();
    if (!has_row) return has_row.error();
    if (!*has_row) return {};
    record.models.push_back(rows->text(0));
  }
}

Result<std::optional<KeyRecord>> KeyStore::find_id(Database& database, std::string_view id) {
  auto row = database.prepare(fmt::format("SELECT {} FROM keys WHERE id = ?", kColumns));
  if (!row) return row.error();
  row->bind(0, id);
  const auto has_row = row->step();
  if (!has_row) return has_row.error();
  if (!*has_row) return std::optional<KeyRecord>();
  auto record = read_record(*row);
  if (auto read = read_models(database, record); !read) return read.error();
  return std::optional(std::move(record));
}

}  // namespace limner::auth
