#include "api/blocklist.hpp"

#include <algorithm>
#include <cstdlib>
#include <memory>

#include <fmt/format.h>
#include <utf8proc.h>

#include "base/files.hpp"

namespace limner::api {
namespace {

constexpr std::size_t kFileBytesMax = 8u << 20;

bool is_word_character(utf8proc_int32_t point) {
  switch (utf8proc_category(point)) {
    case UTF8PROC_CATEGORY_LU:
    case UTF8PROC_CATEGORY_LL:
    case UTF8PROC_CATEGORY_LT:
    case UTF8PROC_CATEGORY_LM:
    case UTF8PROC_CATEGORY_LO:
    case UTF8PROC_CATEGORY_ND:
      return true;
    default:
      return false;
  }
}

// " a red apple ": compatibility forms and case folded, accents gone, one space between words.
std::string fold(std::string_view text) {
  utf8proc_uint8_t* mapped = nullptr;
  const auto size = utf8proc_map(
      reinterpret_cast<const utf8proc_uint8_t*>(text.data()),
      static_cast<utf8proc_ssize_t>(text.size()), &mapped,
      static_cast<utf8proc_option_t>(UTF8PROC_COMPAT | UTF8PROC_DECOMPOSE | UTF8PROC_CASEFOLD |
                                     UTF8PROC_IGNORE | UTF8PROC_STRIPMARK));
  const std::unique_ptr<utf8proc_uint8_t, decltype(&std::free)> owner(mapped, &std::free);
  std::string words = " ";
  for (utf8proc_ssize_t at = 0; at < size;) {
    utf8proc_int32_t point = 0;
    const auto length = utf8proc_iterate(mapped + at, size - at, &point);
    if (length <= 0) break;
    if (is_word_character(point)) {
      words.append(reinterpret_cast<const char*>(mapped + at), static_cast<std::size_t>(length));
    } else if (words.back() != ' ') {
      words += ' ';
    }
    at += length;
  }
  if (words.back() != ' ') words += ' ';
  return words;
}

bool holds_any(const std::string& words, const std::vector<std::string>& blocked) {
  return std::ranges::any_of(blocked,
                             [&](const auto& phrase) { return words.find(phrase) != words.npos; });
}

}  // namespace

Blocklist::Blocklist()
    : words_(std::make_unique<Guarded<std::shared_ptr<const Words>>>(
          std::make_shared<const Words>())) {}

Result<Blocklist> Blocklist::load(const std::filesystem::path& path) {
  auto text = read_file(path, kFileBytesMax);
  if (!text) return text.error();
  return parse(*text);
}

Blocklist Blocklist::parse(std::string_view text) {
  Words words;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.starts_with('#')) continue;
    const bool is_soft = line.starts_with('~');
    if (is_soft) line.remove_prefix(1);
    auto phrase = fold(line);
    if (phrase == " ") continue;
    (is_soft ? words.soft : words.hard).push_back(std::move(phrase));
  }
  Blocklist list;
  list.words_->with(
      [&](auto& current) { current = std::make_shared<const Words>(std::move(words)); });
  return list;
}

void Blocklist::replace(const Blocklist& other) {
  words_->with([fresh = other.words()](auto& current) { current = fresh; });
}

std::shared_ptr<const Blocklist::Words> Blocklist::words() const {
  return words_->with([](const auto& current) { return current; });
}

bool Blocklist::blocks(std::string_view prompt, bool is_low) const {
  const auto blocked = words();
  if (blocked->hard.empty() && blocked->soft.empty()) return false;
  const auto words = fold(prompt);
  return holds_any(words, blocked->hard) || (!is_low && holds_any(words, blocked->soft));
}

Result<void> Blocklist::check(const ImageRequest& request) const {
  const bool is_low = request.moderation == "low";
  const auto check_one = [&](std::string_view field, std::string_view text) -> Result<void> {
    if (!blocks(text, is_low)) return {};
    return invalid_value(field, fmt::format("{}: refused by the rules of this server", field),
                         "moderation_blocked");
  };
  const auto& prompt = request.prompt;
  if (auto checked = check_one("prompt", prompt.text); !checked) return checked;
  if (auto checked = check_one("prompt_2", prompt.text_2.value_or("")); !checked) return checked;
  return check_one("prompt_3", prompt.text_3.value_or(""));
}

}  // namespace limner::api
