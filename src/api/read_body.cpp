#include "api/read_body.hpp"

#include <utility>

namespace limner::api {

std::string model_named_in(Fields& fields) {
  constexpr std::size_t kNameBytesMax = 1'024;
  const auto* value = fields.reader.raw({"model"});
  if (value == nullptr || !value->is_string()) return {};
  const std::string_view name = value->get_string();
  return name.size() <= kNameBytesMax ? std::string(name) : std::string();
}

Result<Fields> read_fields(const http::Request& request, http::Body body) {
  if (auto* parts = std::get_if<std::vector<http::Part>>(&body)) {
    auto form = read_form(std::move(*parts));
    if (!form) return form.error();
    return Fields{.reader = FieldReader(std::move(form->texts), FieldReader::Source::Text),
                  .files = std::move(form->files)};
  }
  const auto& text = std::get<std::string>(body);
  if (text.empty() && request.method == "GET") {
    auto query = read_query(request.query);
    if (!query) return query.error();
    return Fields{.reader = FieldReader(*std::move(query), FieldReader::Source::Text), .files = {}};
  }
  auto reader = FieldReader::from_json(text);
  if (!reader) return reader.error();
  return Fields{.reader = *std::move(reader), .files = {}};
}

}  // namespace limner::api
