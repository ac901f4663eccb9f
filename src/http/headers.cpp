#include "http/headers.hpp"

#include "base/text.hpp"

namespace limner::http {

void Headers::add(std::string name, std::string value) {
  fields_.push_back({std::move(name), std::move(value)});
}

void Headers::set(std::string name, std::string value) {
  remove(name);
  add(std::move(name), std::move(value));
}

void Headers::remove(std::string_view name) {
  std::erase_if(fields_, [&](const Field& f) { return equals_ignoring_case(f.name, name); });
}

std::optional<std::string_view> Headers::get(std::string_view name) const {
  for (const auto& field : fields_) {
    if (equals_ignoring_case(field.name, name)) return field.value;
  }
  return std::nullopt;
}

std::vector<std::string_view> Headers::get_all(std::string_view name) const {
  std::vector<std::string_view> values;
  for (const auto& field : fields_) {
    if (equals_ignoring_case(field.name, name)) values.push_back(field.value);
  }
  return values;
}

std::size_t Headers::count(std::string_view name) const {
  return get_all(name).size();
}

bool Headers::has_token(std::string_view name, std::string_view token) const {
  for (auto list : get_all(name)) {
    while (!list.empty()) {
      const auto comma = list.find(',');
      if (equals_ignoring_case(trim(list.substr(0, comma)), token)) return true;
      list = comma == list.npos ? std::string_view{} : list.substr(comma + 1);
    }
  }
  return false;
}

}  // namespace limner::http
