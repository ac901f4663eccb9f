#include "diffusion/models/config_reader.hpp"

#include <utility>

#include <fmt/format.h>

namespace limner::models {
namespace {

std::string shown(const json::value& value) {
  std::string text = json::serialize(value);
  if (text.size() > 80) text = text.substr(0, 77) + "...";
  return text;
}

}  // namespace

ConfigReader::ConfigReader(const json::object& config, std::string where)
    : config_(config), where_(std::move(where)) {}

const json::value* ConfigReader::find(std::string_view key) {
  known_.emplace(key);
  const auto* value = config_.if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

void ConfigReader::fail(std::string_view key, std::string message) {
  if (error_) return;
  error_ = Error{.kind = ErrorKind::InvalidArgument,
                 .message = fmt::format("{}: {}: {}", where_, key, message),
                 .param = std::string(key),
                 .code = "invalid_model"};
}

std::int64_t ConfigReader::integer(std::string_view key, std::int64_t fallback) {
  return optional_integer(key).value_or(fallback);
}

std::optional<std::int64_t> ConfigReader::optional_integer(std::string_view key) {
  const auto* value = find(key);
  if (!value) return std::nullopt;
  if (value->is_int64()) return value->get_int64();
  fail(key, fmt::format("got {}, expected an integer", shown(*value)));
  return std::nullopt;
}

double ConfigReader::number(std::string_view key, double fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (value->is_number()) return value->to_number<double>();
  fail(key, fmt::format("got {}, expected a number", shown(*value)));
  return fallback;
}

bool ConfigReader::boolean(std::string_view key, bool fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  if (value->is_bool()) return value->get_bool();
  fail(key, fmt::format("got {}, expected true or false", shown(*value)));
  return fallback;
}

std::string ConfigReader::string(std::string_view key, std::string_view fallback) {
  return optional_string(key).value_or(std::string(fallback));
}

std::optional<std::string> ConfigReader::optional_string(std::string_view key) {
  const auto* value = find(key);
  if (!value) return std::nullopt;
  if (value->is_string()) return std::string(value->get_string());
  fail(key, fmt::format("got {}, expected a string", shown(*value)));
  return std::nullopt;
}

std::optional<std::vector<double>> ConfigReader::optional_numbers(std::string_view key) {
  const auto* value = find(key);
  if (!value) return std::nullopt;
  std::vector<double> numbers;
  if (value->is_array()) {
    for (const auto& element : value->get_array()) {
      if (element.is_number()) numbers.push_back(element.to_number<double>());
    }
    if (numbers.size() == value->get_array().size()) return numbers;
  }
  fail(key, fmt::format("got {}, expected a list of numbers", shown(*value)));
  return std::nullopt;
}

std::vector<std::int64_t> ConfigReader::integers(std::string_view key,
                                                 std::vector<std::int64_t> fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  std::vector<std::int64_t> numbers;
  if (value->is_array()) {
    for (const auto& element : value->get_array()) {
      if (element.is_int64()) numbers.push_back(element.get_int64());
    }
    if (numbers.size() == value->get_array().size()) return numbers;
  }
  fail(key, fmt::format("got {}, expected a list of integers", shown(*value)));
  return fallback;
}

std::vector<std::string> ConfigReader::strings(std::string_view key,
                                               std::vector<std::string> fallback) {
  const auto* value = find(key);
  if (!value) return fallback;
  std::vector<std::string> words;
  if (value->is_array()) {
    for (const auto& element : value->get_array()) {
      if (element.is_string()) words.emplace_back(element.get_string());
    }
    if (words.size() == value->get_array().size()) return words;
  }
  fail(key, fmt::format("got {}, expected a list of strings", shown(*value)));
  return fallback;
}

std::vector<std::int64_t> ConfigReader::integer_per_block(std::string_view key,
                                                          std::int64_t fallback,
                                                          std::size_t count) {
  const auto* value = find(key);
  if (!value || !value->is_array()) {
    return std::vector<std::int64_t>(count, integer(key, fallback));
  }
  auto numbers = integers(key, std::vector<std::int64_t>(count, fallback));
  if (numbers.size() != count) {
    fail(key, fmt::format("got {} values for {} blocks", numbers.size(), count));
    numbers.resize(count, fallback);
  }
  return numbers;
}

std::vector<bool> ConfigReader::boolean_per_block(std::string_view key, bool fallback,
                                                  std::size_t count) {
  const auto* value = find(key);
  if (!value || !value->is_array()) return std::vector<bool>(count, boolean(key, fallback));
  std::vector<bool> flags;
  for (const auto& element : value->get_array()) {
    if (element.is_bool()) flags.push_back(element.get_bool());
  }
  if (flags.size() != value->get_array().size() || flags.size() != count) {
    fail(key, fmt::format("got {}, expected one or {} of true and false", shown(*value), count));
    flags.resize(count, fallback);
  }
  return flags;
}

bool ConfigReader::is_null_or_absent(std::string_view key) const {
  const auto* value = config_.if_contains(key);
  return !value || value->is_null();
}

void ConfigReader::ignore(std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) known_.emplace(key);
}

void ConfigReader::ignore_transformers_bookkeeping() {
  ignore({"attention_dropout",
          "dropout",
          "initializer_factor",
          "initializer_range",
          "dtype",
          "torch_dtype",
          "transformers_version",
          "bos_token_id",
          "pad_token_id",
          "gradient_checkpointing",
          "return_dict",
          "output_attentions",
          "output_hidden_states",
          "use_cache",
          "torchscript",
          "is_decoder",
          "is_encoder_decoder",
          "tie_word_embeddings",
          "use_return_dict",
          "add_cross_attention",
          "chunk_size_feed_forward",
          "cross_attention_hidden_size",
          "pruned_heads",
          "tf_legacy_loss",
          "use_bfloat16",
          "id2label",
          "label2id",
          "problem_type",
          "task_specific_params",
          "finetuning_task",
          "prefix",
          "tokenizer_class",
          "sep_token_id",
          "decoder_start_token_id",
          "bad_words_ids",
          "begin_suppress_tokens",
          "suppress_tokens",
          "forced_bos_token_id",
          "forced_eos_token_id",
          "diversity_penalty",
          "do_sample",
          "early_stopping",
          "encoder_no_repeat_ngram_size",
          "exponential_decay_length_penalty",
          "length_penalty",
          "max_length",
          "min_length",
          "no_repeat_ngram_size",
          "num_beam_groups",
          "num_beams",
          "num_return_sequences",
          "output_scores",
          "remove_invalid_values",
          "repetition_penalty",
          "return_dict_in_generate",
          "temperature",
          "top_k",
          "top_p",
          "typical_p"});
}

void ConfigReader::require_null(std::initializer_list<std::string_view> keys) {
  for (const auto key : keys) {
    if (const auto* value = find(key)) {
      fail(key, fmt::format("{} is not supported, only null is", shown(*value)));
    }
  }
}

void ConfigReader::require(std::string_view key, std::string_view only_value) {
  if (const auto value = optional_string(key); value && *value != only_value) {
    fail(key, fmt::format("\"{}\" is not supported, only \"{}\" is", *value, only_value));
  }
}

void ConfigReader::require_flag(std::string_view key, bool only_value) {
  if (boolean(key, only_value) != only_value) {
    fail(key, fmt::format("{} is not supported, only {} is", !only_value, only_value));
  }
}

Result<void> ConfigReader::finish() {
  if (error_) return *error_;
  // The state of training that diffusers' EMAModel leaves in the configs of networks it saves.
  if (config_.contains("_class_name")) {
    ignore({"decay", "inv_gamma", "min_decay", "optimization_step", "power", "update_after_step",
            "use_ema_warmup"});
  }
  for (const auto& [key, value] : config_) {
    if (key.starts_with("_") || known_.contains(std::string_view(key))) continue;
    fail(key, fmt::format("this option (value {}) is not understood", shown(value)));
    return *error_;
  }
  return {};
}

Result<json::object> read_config(const std::filesystem::path& file) {
  auto value = read_json_file(file, 4 << 20);
  if (!value) return value.error();
  if (!value->is_object()) {
    return Error{.kind = ErrorKind::InvalidArgument,
                 .message = file.string() + ": is not a JSON object",
                 .code = "invalid_model"};
  }
  return value->get_object();
}

}  // namespace limner::models
