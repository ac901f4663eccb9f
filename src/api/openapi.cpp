#include "api/openapi.hpp"

#include <fmt/format.h>

#include "base/check.hpp"
#include "base/text.hpp"

// The file, embedded by CMake.
extern "C" const char limner_openapi_begin[];
extern "C" const char limner_openapi_end[];

namespace limner::api {
namespace {

// "/v3/{model...}/images" → "/v3/{model}/images": OpenAPI has no parameter over several segments.
std::string openapi_path(std::string_view pattern) {
  std::string path(pattern);
  for (auto dots = path.find("...}"); dots != path.npos; dots = path.find("...}")) {
    path.erase(dots, 3);
  }
  return path;
}

// Where the document describes what is served under `path` too; empty when nowhere.
std::string described_at(const std::string& path) {
  for (const std::string_view name :
       {"/images/generations", "/images/edits", "/images/variations"}) {
    if (path.ends_with(name)) {
      return fmt::format("{}{}", path.starts_with("/v3/") ? "/v3" : "/v1", name);
    }
  }
  for (const std::string_view name : {"/models", "/models/{id}"}) {
    if (path.ends_with(name)) return fmt::format("/v1{}", name);
  }
  return {};
}

// "createImage" under "/litellm/v1/images/generations" → "createImage_litellm_v1_images_…".
std::string unique_id(std::string_view id, const std::string& path) {
  std::string unique(id);
  for (const char c : path) {
    if (c == '{' || c == '}') continue;
    unique += c == '/' ? '_' : c;
  }
  return unique;
}

json::object copy_operation(const json::object& operation, const std::string& path) {
  json::object copy = operation;
  copy["operationId"] = unique_id(operation.at("operationId").as_string(), path);
  copy["tags"] = json::array{"other prefixes"};
  if (path.find("{model}") == path.npos) return copy;
  if (!copy.contains("parameters")) copy["parameters"] = json::array();
  copy["parameters"].as_array().push_back(json::object{
      {"name", "model"},
      {"in", "path"},
      {"required", true},
      {"schema", json::object{{"type", "string"}, {"minLength", 1}}},
      {"description", "A served model; it replaces the one in the body"},
  });
  return copy;
}

}  // namespace

json::object make_openapi(std::string_view version, std::span<const std::string> routes) {
  auto parsed = parse_json({limner_openapi_begin, limner_openapi_end},
                           {.depth_max = 64, .values_max = 100'000});
  LIMNER_CHECK(parsed, "web/openapi.json is JSON");
  auto document = std::move(parsed->as_object());
  document["info"].as_object()["version"] = json::string_view(version.data(), version.size());
  auto& paths = document["paths"].as_object();
  for (const auto& route : routes) {
    const auto space = route.find(' ');
    const std::string method = ascii_lower(route.substr(0, space));
    const auto path = openapi_path(std::string_view(route).substr(space + 1));
    const auto* item = paths.if_contains(path);
    if (item != nullptr && item->as_object().contains(method)) continue;
    const auto* original = paths.if_contains(described_at(path));
    if (original == nullptr || !original->as_object().contains(method)) continue;
    auto copy = copy_operation(original->as_object().at(method).as_object(), path);
    if (!paths.contains(path)) paths[path] = json::object();
    paths[path].as_object()[method] = std::move(copy);
  }
  return document;
}

}  // namespace limner::api
