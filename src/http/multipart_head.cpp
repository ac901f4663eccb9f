#include "http/multipart_head.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "base/text.hpp"
#include "base/utf8.hpp"
#include "http/url.hpp"

namespace limner::http {
namespace {

using Parameters = std::vector<std::pair<std::string_view, std::string>>;

Error malformed(std::string message) {
  return {.kind = ErrorKind::InvalidArgument,
          .message = "multipart body: " + std::move(message),
          .code = "invalid_multipart"};
}

// Escapes quotes and itself; before anything else it is data, as in the Windows paths that old
// browsers send. Or always data: half of a character of GBK or Shift JIS.
enum class Backslash { Escapes, IsData };

// Takes a quoted string from the front of `text`.
std::optional<std::string> take_quoted(std::string_view& text, Backslash backslash) {
  std::string value;
  for (std::size_t i = 1; i < text.size(); ++i) {
    if (text[i] == '"') {
      text.remove_prefix(i + 1);
      return value;
    }
    const bool is_escape = backslash == Backslash::Escapes && text[i] == '\\' &&
                           i + 1 < text.size() && (text[i + 1] == '"' || text[i + 1] == '\\');
    if (is_escape) ++i;
    value.push_back(text[i]);
  }
  return std::nullopt;
}

const std::string* find(const Parameters& parameters, std::string_view name) {
  for (const auto& [known, value] : parameters) {
    if (equals_ignoring_case(known, name)) return &value;
  }
  return nullptr;
}

// "; name=value; name=\"value\"" after the first word. False where it cannot be read to its end;
// `parameters` has what came before, and the whole rest as the value that is never closed.
bool read_parameters(std::string_view text, Backslash backslash, Parameters& parameters) {
  for (text = trim(text); !text.empty(); text = trim(text)) {
    if (text[0] != ';') return false;
    text = trim(text.substr(1));
    if (text.empty()) break;  // a last ';' is harmless
    const auto equals = text.find_first_of("=;");
    if (equals == text.npos || text[equals] != '=') return false;
    const auto name = trim(text.substr(0, equals));
    if (find(parameters, name)) {  // two readers could take different ones
      parameters.clear();
      return false;
    }
    text = trim(text.substr(equals + 1));
    if (text.starts_with('"')) {
      auto quoted = take_quoted(text, backslash);
      parameters.emplace_back(name, quoted ? std::move(*quoted) : std::string(text));
      if (!quoted) return false;
      continue;
    }
    const auto end = std::min(text.find(';'), text.size());
    parameters.emplace_back(name, trim(text.substr(0, end)));
    text.remove_prefix(end);
  }
  return true;
}

bool is_filename(std::string_view name) {
  return equals_ignoring_case(name, "filename") || equals_ignoring_case(name, "filename*");
}

// A file's name may be in any encoding, and then hold what looks like a quote or a backslash. It is
// of no use here, so that nothing behind it can be read is no mistake once the part's name is
// known.
std::optional<Parameters> read_disposition_parameters(std::string_view text) {
  for (const auto backslash : {Backslash::Escapes, Backslash::IsData}) {
    Parameters parameters;
    if (read_parameters(text, backslash, parameters)) return parameters;
    const bool ends_in_filename = !parameters.empty() && is_filename(parameters.back().first);
    if (ends_in_filename && find(parameters, "name")) return parameters;
  }
  return std::nullopt;
}

// The three characters that browsers percent-encode in names, and no other.
std::string decode_name(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const auto code = text.substr(i, 3);
    const bool is_quote = code == "%22";
    const bool is_cr = code == "%0D" || code == "%0d";
    const bool is_lf = code == "%0A" || code == "%0a";
    out.push_back(is_quote ? '"' : is_cr ? '\r' : is_lf ? '\n' : text[i]);
    if (is_quote || is_cr || is_lf) i += 2;
  }
  return out;
}

Result<void> read_disposition(std::string_view value, Part& part) {
  const auto type_end = std::min(value.find(';'), value.size());
  if (!equals_ignoring_case(trim(value.substr(0, type_end)), "form-data")) {
    return malformed("a part's Content-Disposition is not form-data");
  }
  const auto parameters = read_disposition_parameters(value.substr(type_end));
  const auto* name = parameters ? find(*parameters, "name") : nullptr;
  if (!name || name->empty()) return malformed("a part has no name in its Content-Disposition");
  part.name = decode_name(*name);
  if (!is_valid_utf8(part.name)) return malformed("a part's name is not UTF-8");
  for (const auto* which : {"filename", "filename*"}) {
    const auto* filename = find(*parameters, which);
    if (!filename) continue;
    part.has_filename = true;
    part.filename = *filename;
    break;
  }
  return {};
}

bool is_plain_encoding(std::string_view value) {
  return equals_ignoring_case(value, "binary") || equals_ignoring_case(value, "8bit") ||
         equals_ignoring_case(value, "7bit");
}

}  // namespace

Result<std::string> multipart_boundary(std::string_view content_type) {
  constexpr std::string_view kPunctuation = "'()+_,-./:=? ";
  Parameters parameters;
  const bool is_whole =
      read_parameters(content_type.substr(std::min(content_type.find(';'), content_type.size())),
                      Backslash::Escapes, parameters);
  const auto* boundary = is_whole ? find(parameters, "boundary") : nullptr;
  if (!boundary) return malformed("Content-Type has no boundary parameter");
  bool is_valid = !boundary->empty() && boundary->size() <= 70 && boundary->back() != ' ';
  for (const char c : *boundary) {
    const bool is_alnum =
        (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    is_valid = is_valid && (is_alnum || kPunctuation.find(c) != kPunctuation.npos);
  }
  if (!is_valid) {
    return malformed("the boundary must be 1 to 70 letters, digits or \"'()+_,-./:=?\"");
  }
  return *boundary;
}

Result<Part> parse_part_head(std::string_view head) {
  Part part;
  bool has_disposition = false;
  while (!head.empty()) {
    const auto end = std::min(head.find("\r\n"), head.size());
    const auto line = head.substr(0, end);
    head.remove_prefix(std::min(end + 2, head.size()));
    const auto colon = line.find(':');
    const auto name = line.substr(0, colon);
    if (colon == line.npos || name.empty() || name.find_first_of(" \t") != name.npos ||
        line.find_first_of(std::string_view("\r\n\0", 3)) != line.npos) {
      return malformed("a part's head has a line that is not \"name: value\"");
    }
    const auto value = trim(line.substr(colon + 1));
    if (equals_ignoring_case(name, "Content-Disposition")) {
      if (std::exchange(has_disposition, true)) {
        return malformed("a part has two Content-Disposition fields");
      }
      auto read = read_disposition(value, part);
      if (!read) return read.error();
    } else if (equals_ignoring_case(name, "Content-Type")) {
      part.content_type = value;
    } else if (equals_ignoring_case(name, "Content-Transfer-Encoding") &&
               !is_plain_encoding(value)) {
      return malformed("a part's Content-Transfer-Encoding must be binary, 8bit or 7bit");
    }
  }
  if (!has_disposition) return malformed("a part has no Content-Disposition");
  return part;
}

}  // namespace limner::http
