#include "diffusion/tokenizers/unicode.hpp"

#include <algorithm>
#include <cstdint>
#include <iterator>
#include <vector>

#include <utf8proc.h>

#include "base/check.hpp"
#include "diffusion/tokenizers/unicode_delta.hpp"

namespace limner::tokenizers {
namespace {

// Below U+0300 nothing reorders, decomposes in NFC or composes with a neighbour.
constexpr char32_t kFirstNfcRelevant = 0x300;

template <typename Ranges>
auto find_range(const Ranges& ranges, char32_t c) {
  auto it = std::partition_point(std::begin(ranges), std::end(ranges),
                                 [c](const auto& r) { return r.last < c; });
  return it != std::end(ranges) && it->first <= c ? it : std::end(ranges);
}

template <typename Ranges>
bool in_ranges(const Ranges& ranges, char32_t c) {
  return find_range(ranges, c) != std::end(ranges);
}

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<std::int32_t>(c));
}

int combining_class(std::int32_t c) {
  return utf8proc_get_property(c)->combining_class;
}

// Canonical decomposition, reordering and composition of a stretch without barriers.
void append_nfc(std::u32string_view text, std::u32string& out) {
  std::vector<std::int32_t> buffer;
  buffer.reserve(text.size() + 16);
  for (const char32_t c : text) {
    std::int32_t parts[16];
    int boundary = 0;
    const auto n = utf8proc_decompose_char(static_cast<std::int32_t>(c), parts, 16,
                                           UTF8PROC_COMPOSE, &boundary);
    LIMNER_CHECK(n >= 0 && n <= 16, "a canonical decomposition has at most four parts");
    buffer.insert(buffer.end(), parts, parts + n);
  }
  // Sorting each run of marks ourselves: utf8proc's own is quadratic in the length of a run.
  for (auto run = buffer.begin(); run != buffer.end();) {
    run = std::find_if(run, buffer.end(), [](auto c) { return combining_class(c) != 0; });
    const auto end =
        std::find_if(run, buffer.end(), [](auto c) { return combining_class(c) == 0; });
    std::stable_sort(run, end,
                     [](auto a, auto b) { return combining_class(a) < combining_class(b); });
    run = end;
  }
  const auto size =
      utf8proc_normalize_utf32(buffer.data(), static_cast<utf8proc_ssize_t>(buffer.size()),
                               static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  for (utf8proc_ssize_t i = 0; i < size; ++i) {
    out.push_back(static_cast<char32_t>(buffer[static_cast<std::size_t>(i)]));
  }
}

}  // namespace

std::u32string decode_utf8(std::string_view text) {
  std::u32string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const CodePoint first = decode_code_point(text);
    out.push_back(first.value);
    text.remove_prefix(first.size_bytes);
  }
  return out;
}

std::string encode_utf8(std::u32string_view text) {
  std::string out;
  out.reserve(text.size());
  for (const char32_t c : text) append_utf8(c, out);
  return out;
}

std::u32string to_nfc(std::u32string_view text) {
  if (std::all_of(text.begin(), text.end(), [](char32_t c) { return c < kFirstNfcRelevant; })) {
    return std::u32string(text);
  }
  std::u32string out;
  out.reserve(text.size());
  std::size_t start = 0;
  for (std::size_t i = 0; i <= text.size(); ++i) {
    if (i < text.size() && !in_ranges(kNfcBarriers, text[i])) continue;
    append_nfc(text.substr(start, i - start), out);
    if (i < text.size()) out.push_back(text[i]);
    start = i + 1;
  }
  return out;
}

std::u32string to_lower(std::u32string_view text) {
  std::u32string out;
  out.reserve(text.size());
  for (const char32_t c : text) {
    if (c == U'İ') {  // the only letter whose lower case is two code points
      out += U"i\u0307";
    } else if (const auto range = find_range(kMoreLowers, c); range != std::end(kMoreLowers)) {
      out.push_back(static_cast<char32_t>(static_cast<std::int32_t>(c) + range->shift));
    } else {
      out.push_back(static_cast<char32_t>(utf8proc_tolower(static_cast<std::int32_t>(c))));
    }
  }
  return out;
}

bool is_letter(char32_t c) {
  const auto k = category(c);
  return (k >= UTF8PROC_CATEGORY_LU && k <= UTF8PROC_CATEGORY_LO) || in_ranges(kMoreLetters, c);
}

bool is_number(char32_t c) {
  const auto k = category(c);
  return (k >= UTF8PROC_CATEGORY_ND && k <= UTF8PROC_CATEGORY_NO) || in_ranges(kMoreNumbers, c);
}

bool is_white_space(char32_t c) {
  return (c >= 0x9 && c <= 0xD) || c == 0x20 || c == 0x85 || c == 0xA0 || c == 0x1680 ||
         (c >= 0x2000 && c <= 0x200A) || c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F ||
         c == 0x3000;
}

bool is_word(char32_t c) {
  const auto k = category(c);
  return is_letter(c) || (k >= UTF8PROC_CATEGORY_MN && k <= UTF8PROC_CATEGORY_ND) ||
         k == UTF8PROC_CATEGORY_NL || k == UTF8PROC_CATEGORY_PC;
}

std::size_t grapheme_end(std::u32string_view text, std::size_t start) {
  std::int32_t state = 0;
  std::size_t i = start + 1;
  while (i < text.size() &&
         !utf8proc_grapheme_break_stateful(static_cast<std::int32_t>(text[i - 1]),
                                           static_cast<std::int32_t>(text[i]), &state)) {
    ++i;
  }
  return std::min(i, text.size());
}

}  // namespace limner::tokenizers
