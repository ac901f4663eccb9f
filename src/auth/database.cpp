#include "auth/database.hpp"

#include <cerrno>
#include <cstring>

#include <fcntl.h>
#include <fmt/format.h>
#include <sqlite3.h>
#include <unistd.h>

#include "base/check.hpp"

namespace limner::auth {
namespace {

Error store_error(const std::filesystem::path& path, std::string_view why) {
  return {.kind = ErrorKind::Unavailable,
          .message = "the key store cannot be used",
          .code = "key_store_unusable",
          .detail = fmt::format("{}: {}", path.string(), why)};
}

}  // namespace

void Statement::Finalize::operator()(sqlite3_stmt* statement) const {
  sqlite3_finalize(statement);
}
void Database::Close::operator()(sqlite3* database) const {
  sqlite3_close_v2(database);
}

Statement& Statement::bind(int index, std::string_view text) {
  const int rc = sqlite3_bind_text64(statement_.get(), index + 1, text.data() ? text.data() : "",
                                     text.size(), SQLITE_TRANSIENT, SQLITE_UTF8);
  LIMNER_CHECK(rc == SQLITE_OK, "a parameter of a statement of ours");
  return *this;
}

Statement& Statement::bind(int index, std::int64_t number) {
  const int rc = sqlite3_bind_int64(statement_.get(), index + 1, number);
  LIMNER_CHECK(rc == SQLITE_OK, "a parameter of a statement of ours");
  return *this;
}

Statement& Statement::bind(int index, std::optional<std::int64_t> number) {
  if (number) return bind(index, *number);
  const int rc = sqlite3_bind_null(statement_.get(), index + 1);
  LIMNER_CHECK(rc == SQLITE_OK, "a parameter of a statement of ours");
  return *this;
}

Statement& Statement::bind(int index, std::span<const std::uint8_t> blob) {
  const int rc =
      sqlite3_bind_blob64(statement_.get(), index + 1, blob.data(), blob.size(), SQLITE_TRANSIENT);
  LIMNER_CHECK(rc == SQLITE_OK, "a parameter of a statement of ours");
  return *this;
}

Result<bool> Statement::step() {
  const int rc = sqlite3_step(statement_.get());
  if (rc == SQLITE_ROW) return true;
  if (rc == SQLITE_DONE) return false;
  return store_error("statement", sqlite3_errmsg(sqlite3_db_handle(statement_.get())));
}

std::string Statement::text(int column) const {
  const auto* text = sqlite3_column_text(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return text ? std::string(reinterpret_cast<const char*>(text), size) : std::string();
}

std::int64_t Statement::number(int column) const {
  return sqlite3_column_int64(statement_.get(), column);
}

std::optional<std::int64_t> Statement::optional_number(int column) const {
  if (sqlite3_column_type(statement_.get(), column) == SQLITE_NULL) return std::nullopt;
  return number(column);
}

std::span<const std::uint8_t> Statement::blob(int column) const {
  const auto* bytes = sqlite3_column_blob(statement_.get(), column);
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column));
  return {static_cast<const std::uint8_t*>(bytes), bytes ? size : 0};
}

Result<Database> Database::open(const std::filesystem::path& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (fd < 0) return store_error(path, std::strerror(errno));
  ::close(fd);
  Database database;
  database.path_ = path;
  sqlite3* handle = nullptr;
  const int rc =
      sqlite3_open_v2(path.c_str(), &handle, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, nullptr);
  database.database_.reset(handle);  // also after a failure, to be closed
  if (rc != SQLITE_OK) return database.failure("open");
  sqlite3_busy_timeout(handle, 2'000);
  return database;
}

Result<Statement> Database::prepare(std::string_view sql) {
  Statement statement;
  sqlite3_stmt* handle = nullptr;
  const int rc = sqlite3_prepare_v2(database_.get(), sql.data(), static_cast<int>(sql.size()),
                                    &handle, nullptr);
  statement.statement_.reset(handle);
  if (rc != SQLITE_OK) return failure("prepare");
  return statement;
}

Result<void> Database::run(const std::string& sql) {
  if (sqlite3_exec(database_.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK) {
    return failure("run");
  }
  return {};
}

std::int64_t Database::changed_row_count() const {
  return sqlite3_changes64(database_.get());
}

Error Database::failure(std::string_view verb) const {
  return store_error(path_, fmt::format("{}: {}", verb, sqlite3_errmsg(database_.get())));
}

}  // namespace limner::auth
