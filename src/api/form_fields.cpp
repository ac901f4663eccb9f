#include "api/form_fields.hpp"

#include <fmt/format.h>

#include "api/picture_names.hpp"
#include "base/text.hpp"
#include "base/utf8.hpp"
#include "codec/image_format.hpp"

namespace limner::api {
namespace {

constexpr std::size_t kBracketsMax = 4;

// "a[][b]" → "a", "", "b". Empty when the brackets do not close.
std::vector<std::string_view> split_name(std::string_view name) {
  std::vector<std::string_view> keys;
  auto bracket = name.find('[');
  keys.push_back(name.substr(0, bracket));
  while (bracket != name.npos && bracket < name.size()) {
    const auto end = name.find(']', bracket);
    if (name[bracket] != '[' || end == name.npos) return {};
    keys.push_back(name.substr(bracket + 1, end - bracket - 1));
    bracket = end + 1;
  }
  return keys;
}

// A list index: the order of arrival counts, the number does not.
bool is_index(std::string_view key) {
  return key.find_first_not_of("0123456789") == key.npos;
}

json::array& as_array(json::value& slot) {
  if (slot.is_array()) return slot.get_array();
  json::array list;
  if (!slot.is_null()) list.push_back(std::move(slot));
  slot = std::move(list);
  return slot.get_array();
}

// False when the name says two different things, such as `a[]` after `a[b]`.
bool insert(json::value& slot, std::span<const std::string_view> keys, std::string_view text) {
  if (keys.empty()) {
    if (slot.is_null()) {
      slot = text;
    } else {
      if (slot.is_object()) return false;
      as_array(slot).emplace_back(text);
    }
    return true;
  }
  if (is_index(keys.front())) {
    if (slot.is_object()) return false;
    auto& list = as_array(slot);
    const bool is_member = keys.size() == 2 && !is_index(keys[1]);
    // `a[][k]` belongs to the last object until that one has a `k`.
    const bool joins_last = is_member && !list.empty() && list.back().is_object() &&
                            !list.back().get_object().contains(keys[1]);
    if (!joins_last) list.emplace_back(nullptr);
    return insert(list.back(), keys.subspan(1), text);
  }
  if (slot.is_null()) slot = json::object();
  if (!slot.is_object()) return false;
  return insert(slot.get_object()[keys.front()], keys.subspan(1), text);
}

Result<void> add_text(json::object& fields, std::string_view name, std::string_view text) {
  if (!is_valid_utf8(name)) return invalid_value("", "a field's name is not valid UTF-8");
  const auto keys = split_name(name);
  if (keys.empty() || keys.size() > kBracketsMax || keys.front().empty()) {
    return invalid_value(name.substr(0, name.find('[')),
                         "a field's name is not of the form name, name[] or name[key]");
  }
  if (!is_valid_utf8(text)) {
    return invalid_value(keys.front(), fmt::format("{}: not valid UTF-8", keys.front()));
  }
  if (!insert(fields[keys.front()], std::span(keys).subspan(1), text)) {
    return invalid_value(keys.front(),
                         fmt::format("{}: given both as a list and as an object", keys.front()));
  }
  return {};
}

// What a browser sends for a file input that was left empty.
bool is_no_file(const http::Part& part) {
  return part.has_filename && part.filename.empty() && part.content.size() == 0;
}

// A picture may be a file although the client leaves the filename out.
bool is_file(const http::Part& part, std::string_view base_name) {
  if (part.has_filename) return true;
  if (!is_picture_name(base_name)) return false;
  return codec::sniff(part.content.bytes()) || !is_valid_utf8(part.content.text());
}

}  // namespace

Result<Form> read_form(std::vector<http::Part> parts) {
  Form form;
  for (auto& part : parts) {
    if (is_no_file(part)) continue;
    const std::string base_name = part.name.substr(0, part.name.find('['));
    if (is_file(part, base_name)) {
      form.files.push_back({.name = base_name, .content = std::move(part.content)});
      continue;
    }
    auto added = add_text(form.texts, part.name, without_byte_order_mark(part.content.text()));
    if (!added) return added.error();
  }
  return form;
}

Result<json::object> read_query(const std::vector<http::QueryParameter>& query) {
  json::object fields;
  for (const auto& parameter : query) {
    auto added = add_text(fields, parameter.name, parameter.value);
    if (!added) return added.error();
  }
  return fields;
}

}  // namespace limner::api
