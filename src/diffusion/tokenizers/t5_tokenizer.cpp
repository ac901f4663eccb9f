#include "diffusion/tokenizers/t5_tokenizer.hpp"

#include <string>

#include <fmt/format.h>

#include "base/base64.hpp"
#include "base/file_signature.hpp"
#include "base/files.hpp"
#include "diffusion/tokenizers/sentencepiece_model.hpp"
#include "diffusion/tokenizers/tokenizer_folder.hpp"
#include "diffusion/tokenizers/unicode.hpp"

namespace limner::tokenizers {
namespace {

constexpr std::size_t kFileBytesMax = 64u << 20;
constexpr std::size_t kTokensMax = 1u << 20;
constexpr std::int64_t kExtraIdsMax = 1'024;
constexpr TokenId kUnknownId = 2;  // fixed in the reference's code
constexpr char32_t kWordMark = U'▁';

struct UnigramFiles {
  std::vector<ScoredToken> tokens;
  PrecompiledCharsmap charsmap;
};

std::string extra_id(std::int64_t i) {
  return fmt::format("<extra_id_{}>", i);
}

// The first precompiled map of a normaliser or of a sequence of them; the others are not used.
Result<PrecompiledCharsmap> charsmap_of(const json::object& tokenizer_json,
                                        std::string_view where) {
  const auto* value = tokenizer_json.if_contains("normalizer");
  const auto* object = value ? value->if_object() : nullptr;
  if (!object) return PrecompiledCharsmap();
  const auto* sequence = object->if_contains("normalizers");
  const json::array list =
      sequence && sequence->is_array() ? sequence->get_array() : json::array{*object};
  for (const auto& normalizer : list) {
    const auto* fields = normalizer.if_object();
    const auto* map = fields ? fields->if_contains("precompiled_charsmap") : nullptr;
    if (!map || !map->is_string()) continue;
    const auto blob = base64_decode(map->get_string());
    if (!blob) {
      return invalid_value(
          "", fmt::format("{}: precompiled_charsmap: {}", where, blob.error().message));
    }
    return PrecompiledCharsmap::parse({reinterpret_cast<const char*>(blob->data()), blob->size()});
  }
  return PrecompiledCharsmap();
}

// [["token", score], …]
Result<std::vector<ScoredToken>> tokens_of(const json::object& model, std::string_view where) {
  const auto* value = model.if_contains("vocab");
  const auto* list = value ? value->if_array() : nullptr;
  if (!list || list->size() > kTokensMax) {
    return invalid_value("", fmt::format("{}: the vocabulary must be a list of at most {} tokens",
                                         where, kTokensMax));
  }
  std::vector<ScoredToken> tokens;
  tokens.reserve(list->size());
  for (const auto& entry : *list) {
    const auto* pair = entry.if_array();
    if (!pair || pair->size() != 2 || !(*pair)[0].is_string() || !(*pair)[1].is_number()) {
      return invalid_value(
          "", fmt::format("{}: token {} is not a pair of text and score", where, tokens.size()));
    }
    tokens.push_back({std::string((*pair)[0].get_string()), (*pair)[1].to_number<double>()});
  }
  return tokens;
}

Result<UnigramFiles> read_tokenizer_json(const TokenizerFolder& folder) {
  const std::string where = (folder.path / "tokenizer.json").string();
  auto model = model_of(folder, "Unigram");
  if (!model) return model.error();
  auto tokens = tokens_of(**model, where);
  if (!tokens) return tokens.error();
  auto charsmap = charsmap_of(folder.tokenizer_json.get_object(), where);
  if (!charsmap) return charsmap.error();
  return UnigramFiles{std::move(*tokens), std::move(*charsmap)};
}

// Control and user-defined pieces become added tokens; the extra ids follow the pieces, the last
// one first.
Result<UnigramFiles> read_spiece(TokenizerFolder& folder, std::int64_t extra_ids) {
  const auto path = folder.path / "spiece.model";
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) {
    return Error{.kind = ErrorKind::NotFound,
                 .message = fmt::format("{} has neither tokenizer.json nor spiece.model",
                                        folder.path.string())};
  }
  auto bytes = read_file(path, kFileBytesMax);
  if (!bytes) return bytes.error();
  auto model = parse_sentencepiece_model(*bytes);
  if (!model) {
    if (auto checked = check_content(*bytes, path.string()); !checked) return checked.error();
    return invalid_value("", fmt::format("{}: {}", path.string(), model.error().message));
  }
  auto charsmap = PrecompiledCharsmap::parse(model->precompiled_charsmap);
  if (!charsmap) {
    return invalid_value("", fmt::format("{}: {}", path.string(), charsmap.error().message));
  }
  UnigramFiles files{{}, std::move(*charsmap)};
  files.tokens.reserve(model->pieces.size());
  for (auto& piece : model->pieces) {
    if (piece.type == SentencePiece::Type::Control ||
        piece.type == SentencePiece::Type::UserDefined) {
      folder.added.push_back({.content = piece.text});
    }
    files.tokens.push_back({std::move(piece.text), piece.score});
  }
  for (std::int64_t i = extra_ids; i-- > 0;) files.tokens.push_back({extra_id(i), 0.0});
  return files;
}

}  // namespace

Result<T5Tokenizer> T5Tokenizer::load(const std::filesystem::path& path) {
  auto folder = read_tokenizer_folder(
      path, {{"eos_token", "</s>"}, {"unk_token", "<unk>"}, {"pad_token", "<pad>"}});
  if (!folder) return folder.error();
  auto extra_ids = get_int(folder->config, "extra_ids", 100, "tokenizer_config.json");
  if (!extra_ids) return extra_ids.error();
  if (*extra_ids < 0 || *extra_ids > kExtraIdsMax) {
    return invalid_value("", fmt::format("{}: extra_ids: got {}, expected 0 to {}", path.string(),
                                         *extra_ids, kExtraIdsMax));
  }
  auto files = folder->tokenizer_json.is_null() ? read_spiece(*folder, *extra_ids)
                                                : read_tokenizer_json(*folder);
  if (!files) return files.error();
  auto encoder = UnigramEncoder::create(files->tokens, kUnknownId);
  if (!encoder) {
    return invalid_value("", fmt::format("{}: {}", path.string(), encoder.error().message));
  }

  Vocabulary vocabulary;
  vocabulary.reserve(files->tokens.size());
  for (std::size_t id = 0; id < files->tokens.size(); ++id) {
    vocabulary.insert(files->tokens[id].text, static_cast<TokenId>(id));
  }
  for (std::int64_t i = 0; i < *extra_ids; ++i) folder->added.push_back({.content = extra_id(i)});
  assign_ids(folder->added, vocabulary);

  T5Tokenizer tokenizer(std::move(*encoder), std::move(files->charsmap));
  std::vector<AddedToken> raw;
  std::vector<AddedToken> normalized;
  for (auto& token : folder->added) {
    if (token.is_normalized) token.content = tokenizer.charsmap_.normalize(token.content);
    (token.is_normalized ? normalized : raw).push_back(token);
  }
  tokenizer.raw_tokens_ = AddedTokens(raw);
  tokenizer.normalized_tokens_ = AddedTokens(normalized);
  tokenizer.frame_ = {.before = {},
                      .after = {vocabulary.find_or_add(folder->named["eos_token"])},
                      .pad = vocabulary.find_or_add(folder->named["pad_token"])};
  tokenizer.model_max_length_ = folder->model_max_length;
  tokenizer.vocab_size_ = vocabulary.size();
  return tokenizer;
}

std::vector<TokenId> T5Tokenizer::encode(std::string_view text) const {
  std::vector<TokenId> ids;
  const std::u32string characters = decode_utf8(text);
  for (const auto& piece : raw_tokens_.split(characters)) {
    if (piece.id) {
      ids.push_back(*piece.id);
      continue;
    }
    const std::u32string normalized = decode_utf8(charsmap_.normalize(encode_utf8(piece.text)));
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

// Words are cut at white space, and before each ▁ that the text has itself.
void T5Tokenizer::encode_piece(std::u32string_view text, std::vector<TokenId>& ids) const {
  for (std::size_t i = 0; i < text.size();) {
    if (is_white_space(text[i])) {
      ++i;
      continue;
    }
    std::u32string word(1, kWordMark);
    const bool is_inside = i > 0 && !is_white_space(text[i - 1]);
    if (text[i] == kWordMark || is_inside) word.clear();
    word.push_back(text[i++]);
    while (i < text.size() && !is_white_space(text[i]) && text[i] != kWordMark) {
      word.push_back(text[i++]);
    }
    encoder_.encode(encode_utf8(word), ids);
  }
}

Result<PaddedIds> T5Tokenizer::encode_padded(std::string_view text, std::size_t max_length) const {
  return pad_ids(encode(text), frame_, max_length);
}

PaddedIds T5Tokenizer::encode_truncated(std::string_view text, std::size_t max_length) const {
  return pad_ids_truncated(encode(text), frame_, max_length);
}

}  // namespace limner::tokenizers
