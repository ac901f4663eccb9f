// SQLite with prepared statements only: values are bound, never written into the text.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/result.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace limner::auth {

class Statement {
 public:
  // Parameters and columns count from 0.
  Statement& bind(int index, std::string_view text);
  Statement& bind(int index, std::int64_t number);
  Statement& bind(int index, std::optional<std::int64_t> number);
  Statement& bind(int index, std::span<const std::uint8_t> blob);

  // True when there is a row.
  Result<bool> step();
  std::string text(int column) const;
  std::int64_t number(int column) const;
  std::optional<std::int64_t> optional_number(int column) const;
  // Valid until the next step.
  std::span<const std::uint8_t> blob(int column) const;

 private:
  friend class Database;
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Used by one thread at a time.
class Database {
 public:
  // Makes the file when there is none, readable by its owner only.
  static Result<Database> open(const std::filesystem::path& path);

  Result<Statement> prepare(std::string_view sql);
  // For statements without values and rows; several, separated by semicolons.
  Result<void> run(const std::string& sql);
  std::int64_t changed_row_count() const;

 private:
  Error failure(std::string_view verb) const;

  struct Close {
    void operator()(sqlite3* database) const;
  };
  std::unique_ptr<sqlite3, Close> database_;
  std::filesystem::path path_;
};

}  // namespace limner::auth
