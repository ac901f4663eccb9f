#include "diffusion/tokenizers/bpe_vocabulary.hpp"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/file_signature.hpp"
#include "base/files.hpp"
#include "diffusion/tokenizers/unicode.hpp"

// clip_merges.txt, as cmake/embed.cmake puts it into the program.
extern "C" const char limner_clip_merges_begin[];
extern "C" const char limner_clip_merges_end[];

namespace limner::tokenizers {
namespace {

constexpr std::size_t kFileBytesMax = 64u << 20;
constexpr std::size_t kMergesMax = 1u << 20;

Error bad_merge(std::string_view where, std::size_t number) {
  return invalid_value("", fmt::format("{}: merge {} is not a pair of tokens", where, number));
}

// Lines of `left right`; a line that begins with #version is a comment.
Result<void> parse_merges_txt(std::string_view text, std::string_view where,
                              std::vector<BytePairEncoder::Merge>& merges) {
  std::size_t line_number = 0;
  constexpr std::string_view byte_order_mark = "\xef\xbb\xbf";
  if (text.starts_with(byte_order_mark)) text.remove_prefix(byte_order_mark.size());
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

// The characters that stand for the 256 bytes, in the order of their ids: those that are printable
// themselves, then stand-ins from U+0100 on.
std::vector<std::string> byte_characters_in_order() {
  std::u32string characters;
  for (char32_t c = '!'; c <= 0xFF; ++c) {
    if (c <= '~' || (c >= 0xA1 && c != 0xAD)) characters.push_back(c);
  }
  for (char32_t c = 0x100; characters.size() < 256; ++c) characters.push_back(c);
  std::vector<std::string> texts;
  for (const char32_t c : characters) texts.push_back(encode_utf8(std::u32string_view(&c, 1)));
  return texts;
}

}  // namespace

Result<BpeVocabulary> read_bpe_vocabulary(const TokenizerFolder& folder) {
  BpeVocabulary bpe;
  if (!folder.tokenizer_json.is_null()) {
    const std::string where = (folder.path / "tokenizer.json").string();
    auto model = model_of(folder, "BPE");
    if (!model) return model.error();
    const auto* tokens = (*model)->if_contains("vocab");
    auto vocabulary = Vocabulary::from_json(tokens ? *tokens : json::value(), where);
    if (!vocabulary) return vocabulary.error();
    bpe.tokens = *std::move(vocabulary);
    if (auto merges = parse_merges_json(**model, where, bpe.merges); !merges) {
      return merges.error();
    }
    return bpe;
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
  bpe.tokens = *std::move(vocabulary);
  auto text = read_file(merges_path, kFileBytesMax);
  if (!text) return text.error();
  if (auto checked = check_content(*text, merges_path.string()); !checked) return checked.error();
  bpe.text = std::make_unique<const std::string>(*std::move(text));
  if (auto merges = parse_merges_txt(*bpe.text, merges_path.string(), bpe.merges); !merges) {
    return merges.error();
  }
  return bpe;
}

BpeVocabulary built_in_clip_vocabulary() {
  BpeVocabulary bpe;
  const std::string_view text(
      limner_clip_merges_begin,
      static_cast<std::size_t>(limner_clip_merges_end - limner_clip_merges_begin));
  const auto parsed = parse_merges_txt(text, "the built-in vocabulary", bpe.merges);
  LIMNER_CHECK(parsed.has_value());
  // Ids: the byte characters, the same at the end of a word, a token per merge, the marks.
  std::vector<std::string> bytes = byte_characters_in_order();
  for (const auto& byte : bytes) bpe.tokens.find_or_add(byte);
  for (const auto& byte : bytes) bpe.tokens.find_or_add(byte + "</w>");
  for (const auto& [left, right] : bpe.merges) {
    bpe.tokens.find_or_add(fmt::format("{}{}", left, right));
  }
  bpe.tokens.find_or_add("<|startoftext|>");
  bpe.tokens.find_or_add("<|endoftext|>");
  return bpe;
}

}  // namespace limner::tokenizers
