#include "diffusion/tokenizers/clip_tokenizer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "diffusion/tokenizers/bpe_vocabulary.hpp"
#include "diffusion/tokenizers/tokenizer_folder.hpp"
#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {
namespace {

constexpr std::string_view kBegin = "<|startoftext|>";
constexpr std::string_view kEnd = "<|endoftext|>";

std::u32string normalize(std::u32string_view text) {
  const std::u32string composed = to_nfc(text);
  std::u32string spaced;
  spaced.reserve(composed.size());
  for (std::size_t i = 0; i < composed.size(); ++i) {
    if (!is_white_space(composed[i])) {
      spaced.push_back(composed[i]);
    } else if (i == 0 || !is_white_space(composed[i - 1])) {
      spaced.push_back(U' ');
    }
  }
  return to_lower(spaced);
}

bool is_other(char32_t c) {
  return !is_white_space(c) && !is_letter(c) && !is_number(c);
}

template <typename Predicate>
std::size_t run_size(std::u32string_view text, Predicate is_in) {
  std::size_t n = 0;
  while (n < text.size() && is_in(text[n])) ++n;
  return n;
}

// Characters of the word at the front of `text`: a contraction, letters, one digit, or a run of
// neither; 0 at white space.
std::size_t word_size(std::u32string_view text) {
  constexpr std::array<std::u32string_view, 7> contractions = {U"'s", U"'t",  U"'re", U"'ve",
                                                               U"'m", U"'ll", U"'d"};
  for (const auto contraction : contractions) {
    if (text.starts_with(contraction)) return contraction.size();
  }
  if (is_letter(text[0])) return run_size(text, is_letter);
  if (is_number(text[0])) return 1;
  return run_size(text, is_other);
}

// CLIP's pattern names its two marks; GPT-2's, which runs on each match, cuts them in three. That
// shows only where they were not found as added tokens.
std::size_t mark_size(std::u32string_view text) {
  constexpr std::array<std::u32string_view, 2> marks = {U"<|startoftext|>", U"<|endoftext|>"};
  for (const auto mark : marks) {
    if (text.starts_with(mark)) return mark.size();
  }
  return 0;
}

}  // namespace

Result<ClipTokenizer> ClipTokenizer::load(const std::filesystem::path& path) {
  auto folder = read_tokenizer_folder(path, {{"bos_token", std::string(kBegin)},
                                             {"eos_token", std::string(kEnd)},
                                             {"unk_token", std::string(kEnd)},
                                             {"pad_token", std::string(kEnd)}});
  if (!folder) return folder.error();
  auto vocabulary = read_bpe_vocabulary(*folder);
  if (!vocabulary) return vocabulary.error();
  auto tokenizer = build(*std::move(folder), *std::move(vocabulary));
  if (!tokenizer) {
    return invalid_value("", fmt::format("{}: {}", path.string(), tokenizer.error().message));
  }
  return tokenizer;
}

ClipTokenizer ClipTokenizer::built_in(std::string_view pad_token) {
  TokenizerFolder folder;
  folder.named = {{"bos_token", std::string(kBegin)},
                  {"eos_token", std::string(kEnd)},
                  {"unk_token", std::string(kEnd)},
                  {"pad_token", std::string(pad_token)}};
  folder.model_max_length = 77;
  for (const auto mark : {kBegin, kEnd}) {
    AddedToken token;
    token.content = mark;
    token.is_normalized = true;
    folder.added.push_back(std::move(token));
  }
  // Another padding is a token of its own: found in prompts before anything else.
  if (pad_token != kEnd) {
    AddedToken token;
    token.content = pad_token;
    folder.added.push_back(std::move(token));
  }
  auto tokenizer = build(std::move(folder), built_in_clip_vocabulary());
  LIMNER_CHECK(tokenizer.has_value(), "the built-in vocabulary is whole");
  return *std::move(tokenizer);
}

Result<ClipTokenizer> ClipTokenizer::build(TokenizerFolder folder, BpeVocabulary vocabulary) {
  auto encoder =
      BytePairEncoder::create(vocabulary.tokens, vocabulary.merges,
                              {.end_of_word = "</w>", .unknown = folder.named["unk_token"]});
  if (!encoder) return encoder.error();
  assign_ids(folder.added, vocabulary.tokens);

  ClipTokenizer tokenizer(std::move(*encoder));
  tokenizer.added_tokens_ = AddedTokenLayers(folder.added, normalize);
  tokenizer.frame_ = {.before = {vocabulary.tokens.find_or_add(folder.named["bos_token"])},
                      .after = {vocabulary.tokens.find_or_add(folder.named["eos_token"])},
                      .pad = vocabulary.tokens.find_or_add(folder.named["pad_token"])};
  tokenizer.model_max_length_ = folder.model_max_length;
  tokenizer.vocab_size_ = vocabulary.tokens.size();
  return tokenizer;
}

std::vector<TokenId> ClipTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  added_tokens_.encode(decode_utf8(text), ids, [&](std::u32string_view piece, auto& piece_ids) {
    encode_piece(piece, piece_ids);
  });
  return ids;
}

void ClipTokenizer::encode_piece(std::u32string_view text, std::vector<TokenId>& ids) const {
  std::size_t mark_end = 0;
  for (std::size_t i = 0; i < text.size();) {
    if (i >= mark_end) mark_end = i + mark_size(text.substr(i));
    const std::size_t end = i < mark_end ? mark_end : text.size();
    const std::size_t size = word_size(text.substr(i, end - i));
    if (size > 0) encoder_.encode(encode_utf8(text.substr(i, size)), ids);
    i += std::max<std::size_t>(size, 1);
  }
}

Result<PaddedIds> ClipTokenizer::encode_padded(std::string_view text,
                                               std::size_t max_length) const {
  return pad_ids(encode(text), frame_, max_length);
}

PaddedIds ClipTokenizer::encode_truncated(std::string_view text, std::size_t max_length) const {
  return pad_ids_truncated(encode(text), frame_, max_length);
}

}  // namespace limner::tokenizers
