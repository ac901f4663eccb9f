#include "diffusion/tokenizers/tokenizer_folder.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

#include <fmt/format.h>

namespace limner::tokenizers {
namespace {

constexpr std::size_t kAddedTokensMax = 4'096;
constexpr std::size_t kTokenBytesMax = 1'024;
constexpr double kModelMaxLengthMax = 1 << 20;  // transformers writes 1e30 for "no limit"

Result<json::value> read_if_there(const std::filesystem::path& path) {
  std::error_code ec;
  if (!std::filesystem::exists(path, ec)) return json::value();
  return read_json_file(path);
}

Result<json::object> read_object_if_there(const std::filesystem::path& path) {
  auto value = read_if_there(path);
  if (!value) return value.error();
  if (value->is_null()) return json::object();
  if (!value->is_object()) {
    return invalid_value("", fmt::format("{} must be a JSON object", path.string()));
  }
  return std::move(value->get_object());
}

// A token as a string, or as an object with its rules of matching.
Result<AddedToken> parse_token(const json::value& value, std::string_view where) {
  AddedToken token;
  if (value.is_string()) {
    token.content = value.get_string();
  } else if (const auto* object = value.if_object()) {
    auto content = get_string(*object, "content", "", where);
    auto single = get_bool(*object, "single_word", false, where);
    auto left = get_bool(*object, "lstrip", false, where);
    auto right = get_bool(*object, "rstrip", false, where);
    auto special = get_bool(*object, "special", true, where);
    if (!content) return content.error();
    if (!single) return single.error();
    if (!left) return left.error();
    if (!right) return right.error();
    if (!special) return special.error();
    auto normalized = get_bool(*object, "normalized", !*special, where);
    if (!normalized) return normalized.error();
    token = {*content, 0, *single, *left, *right, *normalized};
  } else {
    return invalid_value("", fmt::format("{}: a token must be a string or an object", where));
  }
  if (token.content.empty() || token.content.size() > kTokenBytesMax) {
    return invalid_value(
        "", fmt::format("{}: an added token must have 1 to {} bytes", where, kTokenBytesMax));
  }
  return token;
}

// Collects tokens in the order in which transformers adds them.
class Collector {
 public:
  explicit Collector(TokenizerFolder& folder) : folder_(folder) {}

  // A second token of the same content is left out.
  Result<void> add(const json::value& value, std::string_view where) {
    auto token = parse_token(value, where);
    if (!token) return token.error();
    return add(std::move(*token), where);
  }

  Result<void> add(AddedToken token, std::string_view where) {
    if (has(token.content)) return {};
    if (folder_.added.size() == kAddedTokensMax) {
      return invalid_value("",
                           fmt::format("{}: more than {} added tokens", where, kAddedTokensMax));
    }
    folder_.added.push_back(std::move(token));
    return {};
  }

  // Named tokens, and those of `extra_special_tokens`, wait until all files are read.
  Result<void> name_tokens(const json::object& map, std::string_view where) {
    for (const auto& member : map) {
      const std::string name(member.key());
      const bool is_list = name == "extra_special_tokens" || name == "additional_special_tokens";
      if (is_list && member.value().is_array()) {
        for (const auto& value : member.value().get_array()) {
          auto token = parse_token(value, where);
          if (!token) return token.error();
          extra_.push_back(std::move(*token));
        }
      } else if (folder_.named.contains(name) && !member.value().is_null()) {
        auto token = parse_token(member.value(), where);
        if (!token) return token.error();
        folder_.named[name] = token->content;
        named_[name] = std::move(*token);
      }
    }
    return {};
  }

  Result<void> finish(std::string_view where) {
    for (const auto& [name, content] : folder_.named) {
      AddedToken token;
      token.content = content;
      if (const auto it = named_.find(name); it != named_.end()) token = it->second;
      if (auto added = add(std::move(token), where); !added) return added;
    }
    for (auto& token : extra_) {
      if (auto added = add(std::move(token), where); !added) return added;
    }
    return {};
  }

 private:
  bool has(std::string_view content) const {
    return std::any_of(folder_.added.begin(), folder_.added.end(),
                       [&](const AddedToken& token) { return token.content == content; });
  }

  TokenizerFolder& folder_;
  std::map<std::string, AddedToken, std::less<>> named_;
  std::vector<AddedToken> extra_;
};

// `added_tokens_decoder` of the configuration: {"id": token}, added by rising id.
Result<void> collect_decoder(const json::object& decoder, Collector& collector,
                             std::string_view where) {
  std::vector<std::pair<std::size_t, const json::value*>> tokens;
  for (const auto& member : decoder) {
    std::size_t id = 0;
    for (const char c : member.key()) {
      if (c < '0' || c > '9' || id > 1u << 24) {
        return invalid_value(
            "", fmt::format("{}: added_tokens_decoder has a key that is no id", where));
      }
      id = id * 10 + static_cast<std::size_t>(c - '0');
    }
    tokens.emplace_back(id, &member.value());
  }
  std::sort(tokens.begin(), tokens.end());
  for (const auto& [id, value] : tokens) {
    if (auto added = collector.add(*value, where); !added) return added;
  }
  return {};
}

// Folders older than `added_tokens_decoder`.
Result<void> collect_legacy(const TokenizerFolder& folder, Collector& collector) {
  const auto map_path = folder.path / "special_tokens_map.json";
  const auto added_path = folder.path / "added_tokens.json";
  auto special_tokens_map = read_object_if_there(map_path);
  if (!special_tokens_map) return special_tokens_map.error();
  if (auto named = collector.name_tokens(*special_tokens_map, map_path.string()); !named) {
    return named;
  }
  auto added_tokens = read_object_if_there(added_path);
  if (!added_tokens) return added_tokens.error();
  const auto is_named = [&](std::string_view content) {
    return std::any_of(folder.named.begin(), folder.named.end(),
                       [&](const auto& named) { return named.second == content; });
  };
  for (const auto& member : *added_tokens) {
    AddedToken token;
    token.content = member.key();
    token.is_normalized = !is_named(token.content);
    if (auto added = collector.add(std::move(token), added_path.string()); !added) return added;
  }
  const auto* object = folder.tokenizer_json.if_object();
  const auto* list = object ? object->if_contains("added_tokens") : nullptr;
  if (!list || !list->is_array()) return {};
  for (const auto& value : list->get_array()) {
    const std::string where = (folder.path / "tokenizer.json").string();
    if (auto added = collector.add(value, where); !added) return added;
  }
  return {};
}

}  // namespace

Result<TokenizerFolder> read_tokenizer_folder(const std::filesystem::path& path,
                                              NamedTokens defaults) {
  TokenizerFolder folder;
  folder.path = path;
  folder.named = std::move(defaults);
  const std::string where = (path / "tokenizer_config.json").string();
  auto config = read_object_if_there(path / "tokenizer_config.json");
  if (!config) return config.error();
  folder.config = std::move(*config);
  auto tokenizer_json = read_if_there(path / "tokenizer.json");
  if (!tokenizer_json) return tokenizer_json.error();
  folder.tokenizer_json = std::move(*tokenizer_json);

  auto max_length = get_number(folder.config, "model_max_length", 0, where);
  if (!max_length) return max_length.error();
  if (*max_length > 0 && *max_length <= kModelMaxLengthMax) {
    folder.model_max_length = static_cast<std::size_t>(*max_length);
  }

  Collector collector(folder);
  if (auto named = collector.name_tokens(folder.config, where); !named) return named.error();
  const auto* decoder = folder.config.if_contains("added_tokens_decoder");
  auto collected = decoder && decoder->is_object()
                       ? collect_decoder(decoder->get_object(), collector, where)
                       : collect_legacy(folder, collector);
  if (!collected) return collected.error();
  if (auto finished = collector.finish(where); !finished) return finished.error();
  return folder;
}

Result<const json::object*> model_of(const TokenizerFolder& folder, std::string_view type) {
  const std::string where = (folder.path / "tokenizer.json").string();
  const auto* object = folder.tokenizer_json.if_object();
  const auto* value = object ? object->if_contains("model") : nullptr;
  const auto* model = value ? value->if_object() : nullptr;
  if (!model) return invalid_value("", fmt::format("{}: has no model", where));
  // Files older than the field leave the type out.
  auto model_type = get_string(*model, "type", type, where);
  if (!model_type) return model_type.error();
  if (*model_type != type) {
    return invalid_value(
        "", fmt::format("{}: the model is of type {:.32}, expected {}", where, *model_type, type));
  }
  return model;
}

void assign_ids(std::vector<AddedToken>& tokens, Vocabulary& vocabulary) {
  for (auto& token : tokens) token.id = vocabulary.find_or_add(token.content);
}

}  // namespace limner::tokenizers
