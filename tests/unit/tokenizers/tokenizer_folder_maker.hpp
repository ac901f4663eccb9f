// Small tokenizer folders for tests.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include <gtest/gtest.h>

#include "base/files.hpp"
#include "base/ids.hpp"
#include "base/json.hpp"
#include "diffusion/tokenizers/token_ids.hpp"
#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {

// Ids of write_clip()'s vocabulary: a byte's printable stand-ins, those with </w>, the two marks,
// then what the merges make.
inline constexpr TokenId kStart = 512;
inline constexpr TokenId kEnd = 513;
inline constexpr TokenId kMerged = 514;
inline TokenId byte(char c) {
  return static_cast<std::uint8_t>(c);
}
inline TokenId byte_end(char c) {
  return byte(c) + 256;
}

class TempFolder {
 public:
  TempFolder() : path_(std::filesystem::path(testing::TempDir()) / random_id("tokenizer_")) {
    std::filesystem::create_directories(path_);
  }
  TempFolder(const TempFolder&) = delete;
  TempFolder& operator=(const TempFolder&) = delete;
  ~TempFolder() { std::filesystem::remove_all(path_); }

  const std::filesystem::path& path() const { return path_; }

  void write(const std::string& file, std::string_view content) const {
    ASSERT_TRUE(write_file(path_ / file, content));
  }

  void write_clip(const std::vector<std::string>& merges) const {
    std::string lines = "#version: 0.2\n";
    for (const auto& merge : merges) lines += merge + "\n";
    write("vocab.json", json::serialize(clip_vocabulary(merges)));
    write("merges.txt", lines);
  }

  void write_clip_json(const std::vector<std::string>& merges) const {
    json::array pairs;
    for (const auto& merge : merges) pairs.emplace_back(merge);
    const json::object tokenizer = {
        {"model",
         {{"type", "BPE"}, {"vocab", clip_vocabulary(merges)}, {"merges", std::move(pairs)}}}};
    write("tokenizer.json", json::serialize(tokenizer));
  }

 private:
  static json::object clip_vocabulary(const std::vector<std::string>& merges) {
    json::object vocabulary;
    char32_t next_free = 0x100;
    for (std::uint32_t b = 0; b < 256; ++b) {
      const bool is_printable = (b > 0x20 && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      std::string token;
      append_utf8(is_printable ? char32_t{b} : next_free++, token);
      vocabulary[token] = b;
      vocabulary[token + "</w>"] = b + 256;
    }
    vocabulary["<|startoftext|>"] = kStart;
    vocabulary["<|endoftext|>"] = kEnd;
    TokenId id = kMerged;
    for (auto merge : merges) vocabulary[merge.erase(merge.find(' '), 1)] = id++;
    return vocabulary;
  }

  std::filesystem::path path_;
};

}  // namespace limner::tokenizers
