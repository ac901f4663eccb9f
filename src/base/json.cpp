#include "base/json.hpp"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <string>
#include <utility>

#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/value_stack.hpp>
#include <fmt/format.h>

#include "base/file_signature.hpp"
#include "base/files.hpp"
#include "base/text.hpp"

namespace limner {
namespace {

// Builds the value as Boost's own handler does, and stops at the first value beyond the limit: a
// tree takes up to thirty times its text.
class LimitedHandler {
 public:
  explicit LimitedHandler(std::size_t values_max) : values_left_(values_max) {}

  // What basic_parser asks of a handler.
  static constexpr std::size_t max_array_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_object_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_string_size = static_cast<std::size_t>(-1);
  static constexpr std::size_t max_key_size = static_cast<std::size_t>(-1);

  using Code = boost::system::error_code;
  bool on_document_begin(Code&) { return true; }
  bool on_document_end(Code&) { return true; }
  bool on_object_begin(Code& ec) { return count(ec); }
  bool on_object_end(std::size_t n, Code&) { return stack_.push_object(n), true; }
  bool on_array_begin(Code& ec) { return count(ec); }
  bool on_array_end(std::size_t n, Code&) { return stack_.push_array(n), true; }
  bool on_key_part(std::string_view s, std::size_t, Code&) { return stack_.push_chars(s), true; }
  bool on_key(std::string_view s, std::size_t, Code&) { return stack_.push_key(s), true; }
  bool on_string_part(std::string_view s, std::size_t, Code&) { return stack_.push_chars(s), true; }
  bool on_string(std::string_view s, std::size_t, Code& ec) {
    return count(ec) && (stack_.push_string(s), true);
  }
  bool on_number_part(std::string_view, Code&) { return true; }
  bool on_int64(std::int64_t i, std::string_view, Code& ec) {
    return count(ec) && (stack_.push_int64(i), true);
  }
  bool on_uint64(std::uint64_t u, std::string_view, Code& ec) {
    return count(ec) && (stack_.push_uint64(u), true);
  }
  bool on_double(double d, std::string_view, Code& ec) {
    return count(ec) && (stack_.push_double(d), true);
  }
  bool on_bool(bool b, Code& ec) { return count(ec) && (stack_.push_bool(b), true); }
  bool on_null(Code& ec) { return count(ec) && (stack_.push_null(), true); }
  bool on_comment_part(std::string_view, Code&) { return true; }
  bool on_comment(std::string_view, Code&) { return true; }

  bool is_over() const { return is_over_; }
  json::value release() { return stack_.release(); }

 private:
  bool count(Code& ec) {
    if (values_left_ > 0) {
      --values_left_;
      return true;
    }
    is_over_ = true;
    ec = json::make_error_code(json::error::array_too_large);
    return false;
  }

  json::value_stack stack_;
  std::size_t values_left_;
  bool is_over_ = false;
};

Result<json::value> parse(std::string_view text, const JsonLimits& limits) {
  // Editors and shells of Windows put one in front.
  text = without_byte_order_mark(text);
  json::parse_options options;
  options.max_depth = limits.depth_max;
  json::basic_parser<LimitedHandler> parser(options, limits.values_max);
  boost::system::error_code ec;
  const std::size_t consumed = parser.write_some(false, text.data(), text.size(), ec);
  if (parser.handler().is_over()) {
    return invalid_value("", fmt::format("JSON has more than {} values", limits.values_max),
                         "invalid_json");
  }
  if (!ec && text.find_first_not_of(" \t\r\n", consumed) != text.npos) {
    ec = json::make_error_code(json::error::extra_data);
  }
  if (ec) {
    return invalid_value("", fmt::format("not JSON: {} at byte {}", ec.message(), consumed),
                         "invalid_json");
  }
  return parser.handler().release();
}

// Python writes Infinity and NaN, which JSON has not: diffusers' scheduler_config.json carries
// "lambda_min_clipped": -Infinity. The largest double stands for the first, null for the second.
std::string with_finite_numbers(std::string_view text) {
  constexpr std::pair<std::string_view, std::string_view> kWords[] = {
      {"Infinity", "1.7976931348623157e308"}, {"NaN", "null"}};
  std::string out;
  out.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size();) {
    if (in_string && text[i] == '\\' && i + 1 < text.size()) {
      out.append(text.substr(i, 2));
      i += 2;
      continue;
    }
    if (text[i] == '"') in_string = !in_string;
    const auto* word =
        in_string ? std::end(kWords) : std::ranges::find_if(kWords, [&](const auto& w) {
          return text.substr(i).starts_with(w.first);
        });
    if (word != std::end(kWords)) {
      out += word->second;
      i += word->first.size();
    } else {
      out += text[i++];
    }
  }
  return out;
}

Error wrong_type(std::string_view where, std::string_view key, std::string_view expected) {
  return invalid_value(key, fmt::format("{}: {} must be {}", where, key, expected), "invalid_type");
}

const json::value* find(const json::object& o, std::string_view key) {
  const auto* value = o.if_contains(key);
  return value && !value->is_null() ? value : nullptr;
}

}  // namespace

Result<json::value> parse_json(std::string_view text, const JsonLimits& limits) {
  return parse(text, limits);
}

Result<json::value> read_json_file(const std::filesystem::path& path, std::size_t size_bytes_max) {
  auto text = read_file(path, size_bytes_max);
  if (!text) return text.error();
  // As many values as its bytes allow: the file was chosen by the operator.
  auto value = parse(with_finite_numbers(*text), {.depth_max = 256, .values_max = text->size()});
  if (value) return value;
  if (auto checked = check_content(*text, path.string()); !checked) return checked.error();
  return invalid_value("", fmt::format("{}: {}", path.string(), value.error().message));
}

Result<std::int64_t> get_int(const json::object& o, std::string_view key, std::int64_t fallback,
                             std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return fallback;
  if (value->is_int64()) return value->get_int64();
  if (value->is_double() && std::floor(value->get_double()) == value->get_double() &&
      std::abs(value->get_double()) < 9e15) {
    return static_cast<std::int64_t>(value->get_double());
  }
  return wrong_type(where, key, "an integer");
}

Result<double> get_number(const json::object& o, std::string_view key, double fallback,
                          std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return fallback;
  if (value->is_number()) return value->to_number<double>();
  return wrong_type(where, key, "a number");
}

Result<bool> get_bool(const json::object& o, std::string_view key, bool fallback,
                      std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return fallback;
  if (value->is_bool()) return value->get_bool();
  return wrong_type(where, key, "true or false");
}

Result<std::string> get_string(const json::object& o, std::string_view key,
                               std::string_view fallback, std::string_view where) {
  const auto* value = find(o, key);
  if (!value) return std::string(fallback);
  if (value->is_string()) return std::string(value->get_string());
  return wrong_type(where, key, "a string");
}

}  // namespace limner
