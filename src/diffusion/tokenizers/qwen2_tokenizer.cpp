#include "diffusion/tokenizers/qwen2_tokenizer.hpp"

#include <algorithm>
#include <array>
#include <string>

#include <fmt/format.h>

#include "diffusion/tokenizers/bpe_vocabulary.hpp"
#include "diffusion/tokenizers/tokenizer_folder.hpp"
#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {
namespace {

constexpr std::string_view kEnd = "<|endoftext|>";
constexpr std::string_view kMessageStart = "<|im_start|>";
constexpr std::string_view kMessageEnd = "<|im_end|>";

bool is_line_end(char32_t c) {
  return c == U'\r' || c == U'\n';
}

bool is_alphanumeric(char32_t c) {
  return is_letter(c) || is_number(c);
}

bool is_other(char32_t c) {
  return !is_white_space(c) && !is_alphanumeric(c);
}

// The first position from `begin` on whose character is not `is_in`.
template <typename Predicate>
std::size_t run_end(std::u32string_view text, std::size_t begin, Predicate is_in) {
  while (begin < text.size() && is_in(text[begin])) ++begin;
  return begin;
}

// 's 't 're 've 'm 'll 'd in any case, the long s being an s; 0 where there is none.
std::size_t contraction_size(std::u32string_view text) {
  constexpr std::array<std::u32string_view, 7> contractions = {U"s", U"t",  U"re", U"ve",
                                                               U"m", U"ll", U"d"};
  if (text[0] != U'\'') return 0;
  const std::u32string letters = to_lower(text.substr(1, 2));
  for (const auto contraction : contractions) {
    const bool matches = std::ranges::equal(
        contraction, letters.substr(0, contraction.size()),
        [](char32_t wanted, char32_t c) { return c == wanted || (wanted == U's' && c == U'ſ'); });
    if (matches) return 1 + contraction.size();
  }
  return 0;
}

// White space at the front: to its last line end if there is one; else all of it, but for one that
// the next word takes along.
std::size_t white_space_size(std::u32string_view text) {
  const std::size_t end = run_end(text, 0, is_white_space);
  for (std::size_t i = end; i > 0; --i) {
    if (is_line_end(text[i - 1])) return i;
  }
  return end == text.size() || end == 1 ? end : end - 1;
}

// Characters of the word at the front of `text`, which is not empty. In regular expressions:
// contraction | [^\r\n\p{L}\p{N}]?\p{L}+ | \p{N} | ?[^\s\p{L}\p{N}]+[\r\n]* | white space
std::size_t word_size(std::u32string_view text) {
  if (const std::size_t size = contraction_size(text); size > 0) return size;
  const bool takes_first = !is_line_end(text[0]) && !is_alphanumeric(text[0]);
  const std::size_t begin = takes_first ? 1 : 0;
  if (const auto end = run_end(text, begin, is_letter); end > begin) return end;
  if (is_number(text[0])) return 1;
  const std::size_t space = text[0] == U' ' ? 1 : 0;
  if (const auto end = run_end(text, space, is_other); end > space) {
    return run_end(text, end, is_line_end);
  }
  return white_space_size(text);
}

}  // namespace

Result<Qwen2Tokenizer> Qwen2Tokenizer::load(const std::filesystem::path& path) {
  const std::string end(kEnd);
  auto folder =
      read_tokenizer_folder(path, {{"eos_token", end}, {"pad_token", end}, {"unk_token", end}});
  if (!folder) return folder.error();
  auto vocabulary = read_bpe_vocabulary(*folder);
  if (!vocabulary) return vocabulary.error();
  auto encoder = BytePairEncoder::create(vocabulary->tokens, vocabulary->merges,
                                         {.end_of_word = "", .unknown = ""});
  if (!encoder) {
    return invalid_value("", fmt::format("{}: {}", path.string(), encoder.error().message));
  }
  assign_ids(folder->added, vocabulary->tokens);
  for (const auto mark : {kMessageStart, kMessageEnd}) {
    const auto is_mark = [&](const AddedToken& token) { return token.content == mark; };
    if (std::ranges::any_of(folder->added, is_mark)) continue;
    return invalid_value("",
                         fmt::format("{}: {} is not among the added tokens", path.string(), mark));
  }
  Qwen2Tokenizer tokenizer(*std::move(encoder));
  tokenizer.added_tokens_ = AddedTokenLayers(folder->added, to_nfc);
  tokenizer.vocab_size_ = vocabulary->tokens.size();
  return tokenizer;
}

std::vector<TokenId> Qwen2Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  added_tokens_.encode(decode_utf8(text), ids, [&](std::u32string_view piece, auto& piece_ids) {
    encode_piece(piece, piece_ids);
  });
  return ids;
}

std::vector<TokenId> Qwen2Tokenizer::encode_as_message(std::string_view text) const {
  return encode(
      fmt::format("{}user\n{}{}\n{}assistant\n", kMessageStart, text, kMessageEnd, kMessageStart));
}

void Qwen2Tokenizer::encode_piece(std::u32string_view text, std::vector<TokenId>& ids) const {
  while (!text.empty()) {
    const std::size_t size = word_size(text);
    encoder_.encode(encode_utf8(text.substr(0, size)), ids);
    text.remove_prefix(size);
  }
}

}  // namespace limner::tokenizers
