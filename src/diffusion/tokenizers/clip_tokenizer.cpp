#include "diffusion/tokenizers/clip_tokenizer.hpp"

#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/files.hpp"
#include "diffusion/tokenizers/tokenizer_folder.hpp"
#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {
namespace {

constexpr std::size_t kFileBytesMax = 64u << 20;
constexpr std::size_t kMergesMax = 1u << 20;

// Vocabulary and merges, and the text that the merges point into.
struct BpeFiles {
  Vocabulary vocabulary;
  std::string text;
  std::vector<BytePairEncoder::Merge> merges;
};

Error bad_merge(std::string_view where, std::size_t number) {
  return invalid_value("", fmt::format("{}: merge {} is not a pair of tokens", where, number));
}

// Lines of `left right`; a line that begins with #version is a comment.
Result<void> parse_merges_txt(std::string_view text, std::string_view where,
                              std::vector<BytePairEncoder::Merge>& merges) {
  std::size_t line_number = 0;
  for (std::size_t start = 0; start < text.size();) {
    const std::size_t end = std::min(text.find('\n', start), text.size());
    std::string_view line = text.substr(start, end - start);
    start = end + 1;
    ++line_number;
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.starts_with("#version")) continue;
    const std::size_t space = line.find(' ');
    if (space == line.npos || space == 0 || space + 1 == line.size() || line_number > kMergesMax) {
      return bad_merge(where, line_number);
    }
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return {};
}

// ["left right", …] or, in newer files, [["left", "right"], …].
Result<void> parse_merges_json(const json::object& model, std::string_view where,
                               std::vector<BytePairEncoder::Merge>& merges) {
  const auto* value = model.if_contains("merges");
  const auto* list = value ? value->if_array() : nullptr;
  if (!list || list->size() > kMergesMax) {
    return invalid_value(
        "", fmt::format("{}: merges must be a list of at most {} pairs", where, kMergesMax));
  }
  merges.reserve(list->size());
  for (const auto& entry : *list) {
    if (const auto* pair = entry.if_array();
        pair && pair->size() == 2 && (*pair)[0].is_string() && (*pair)[1].is_string()) {
      merges.emplace_back((*pair)[0].get_string(), (*pair)[1].get_string());
      continue;
    }
    const std::string_view line = entry.is_string() ? std::string_view(entry.get_string()) : "";
    const std::size_t space = line.find(' ');
    if (space == line.npos) return bad_merge(where, merges.size());
    merges.emplace_back(line.substr(0, space), line.substr(space + 1));
  }
  return {};
}

Result<BpeFiles> read_bpe(const TokenizerFolder& folder) {
  BpeFiles files;
  if (!folder.tokenizer_json.is_null()) {
    const std::string where = (folder.path / "tokenizer.json").string();
    auto model = model_of(folder, "BPE");
    if (!model) return model.error();
    const auto* tokens = (*model)->if_contains("vocab");
    auto vocabulary = Vocabulary::from_json(tokens ? *tokens : json::value(), where);
    if (!vocabulary) return vocabulary.error();
    files.vocabulary = std::move(*vocabulary);
    if (auto merges = parse_merges_json(**model, where, files.merges); !merges) {
      return merges.error();
    }
    return files;
  }
  const auto vocab_path = folder.path / "vocab.json";
  const auto merges_path = folder.path / "merges.txt";
  std::error_code ec;
  if (!std::filesystem::exists(vocab_path, ec) || !std::filesystem::exists(merges_path, ec)) {
    return Error{
        .kind = ErrorKind::NotFound,
        .message = fmt::format("{} has neither tokenizer.json nor vocab.json and merges.txt",
                               folder.path.string())};
  }
  auto tokens = read_json_file(vocab_path, kFileBytesMax);
  if (!tokens) return tokens.error();
  auto vocabulary = Vocabulary::from_json(*tokens, vocab_path.string());
  if (!vocabulary) return vocabulary.error();
  files.vocabulary = std::move(*vocabulary);
  auto text = read_file(merges_path, kFileBytesMax);
  if (!text) return text.error();
  files.text = std::move(*text);
  if (auto merges = parse_merges_txt(files.text, merges_path.string(), files.merges); !merges) {
    return merges.error();
  }
  return files;
}

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
  auto folder = read_tokenizer_folder(path, {{"bos_token", "<|startoftext|>"},
                                             {"eos_token", "<|endoftext|>"},
                                             {"unk_token", "<|endoftext|>"},
                                             {"pad_token", "<|endoftext|>"}});
  if (!folder) return folder.error();
  auto files = read_bpe(*folder);
  if (!files) return files.error();
  auto encoder =
      BytePairEncoder::create(files->vocabulary, files->merges, folder->named["unk_token"]);
  if (!encoder) {
    return invalid_value("", fmt::format("{}: {}", path.string(), encoder.error().message));
  }
  assign_ids(folder->added, files->vocabulary);

  ClipTokenizer tokenizer(std::move(*encoder));
  std::vector<AddedToken> raw;
  std::vector<AddedToken> normalized;
  for (auto& token : folder->added) {
    if (token.is_normalized) {
      token.content = encode_utf8(normalize(decode_utf8(token.content)));
      normalized.push_back(token);
    } else {
      raw.push_back(token);
    }
  }
  tokenizer.raw_tokens_ = AddedTokens(raw);
  tokenizer.normalized_tokens_ = AddedTokens(normalized);
  tokenizer.frame_ = {.before = {files->vocabulary.find_or_add(folder->named["bos_token"])},
                      .after = {files->vocabulary.find_or_add(folder->named["eos_token"])},
                      .pad = files->vocabulary.find_or_add(folder->named["pad_token"])};
  tokenizer.model_max_length_ = folder->model_max_length;
  tokenizer.vocab_size_ = files->vocabulary.size();
  return tokenizer;
}

std::vector<TokenId> ClipTokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  const std::u32string characters = decode_utf8(text);
  for (const auto& piece : raw_tokens_.split(characters)) {
    if (piece.id) {
      ids.push_back(*piece.id);
      continue;
    }
    const std::u32string normalized = normalize(piece.text);
    for (const auto& inner : normalized_tokens_.split(normalized)) {
      if (inner.id) {
        ids.push_back(*inner.id);
      } else {
        encode_piece(inner.text, ids);
      }
    }
  }
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
