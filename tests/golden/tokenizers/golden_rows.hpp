// Rows of tests/golden/tokenizers/*.json, written by tools/golden/make_tokenizers.py.
#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/json.hpp"
#include "diffusion/tokenizers/token_ids.hpp"

namespace limner::tokenizers {

inline std::filesystem::path golden_folder() {
  return std::filesystem::path(LIMNER_SOURCE_DIR) / "tests/golden/tokenizers";
}

inline std::vector<json::array> golden_rows(const std::string& file) {
  auto value = read_json_file(golden_folder() / file);
  EXPECT_TRUE(value.has_value()) << file;
  std::vector<json::array> rows;
  if (!value) return rows;
  for (const auto& row : value->as_object().at("rows").as_array()) rows.push_back(row.as_array());
  return rows;
}

inline std::vector<TokenId> golden_ids(const json::value& ids) {
  return json::value_to<std::vector<TokenId>>(ids);
}

}  // namespace limner::tokenizers
