#include "http/route_table.hpp"

#include <algorithm>

#include <fmt/format.h>

#include "base/check.hpp"

namespace limner::http {
namespace {

std::string join(const std::vector<std::string>& segments, std::size_t first, std::size_t end) {
  std::string joined;
  for (std::size_t i = first; i < end; ++i) {
    if (i > first) joined.push_back('/');
    joined.append(segments[i]);
  }
  return joined;
}

}  // namespace

std::vector<RouteTable::Segment> RouteTable::parse_pattern(std::string_view pattern) {
  LIMNER_CHECK(!pattern.empty() && pattern[0] == '/', "a route's pattern begins with a slash");
  std::vector<Segment> segments;
  int many_count = 0;
  while (pattern.size() > 1) {
    pattern.remove_prefix(1);
    const auto end = std::min(pattern.find('/'), pattern.size());
    auto text = pattern.substr(0, end);
    pattern.remove_prefix(end);
    LIMNER_CHECK(!text.empty(), "a route's pattern has an empty segment");
    auto kind = Kind::Literal;
    if (text.front() == '{') {
      LIMNER_CHECK(text.size() > 2 && text.back() == '}', "a route's parameter is {name}");
      text = text.substr(1, text.size() - 2);
      kind = Kind::One;
      if (text.ends_with("...")) {
        text.remove_suffix(3);
        kind = Kind::Many;
        ++many_count;
      }
    }
    segments.push_back({kind, std::string(text)});
  }
  LIMNER_CHECK(many_count <= 1, "a route has at most one {name...}");
  return segments;
}

void RouteTable::add(Route route) {
  LIMNER_CHECK(!route.method.empty() && route.handler, "a route has a method and a handler");
  for (const auto& entry : entries_) {
    LIMNER_CHECK(entry.route.method != route.method || entry.route.pattern != route.pattern,
                 "a route is added once");
  }
  auto segments = parse_pattern(route.pattern);
  entries_.push_back({std::move(route), std::move(segments)});
}

void RouteTable::add_behind(const HeadHook& hook, RouteTable routes) {
  for (auto& entry : routes.entries_) {
    if (!entry.route.on_head) entry.route.on_head = hook;
    add(std::move(entry.route));
  }
}

std::optional<PathParameters> RouteTable::match(const Entry& entry,
                                                const std::vector<std::string>& segments) {
  const auto& pattern = entry.segments;
  const bool has_many = std::any_of(pattern.begin(), pattern.end(),
                                    [](const Segment& s) { return s.kind == Kind::Many; });
  if (segments.size() < pattern.size()) return std::nullopt;
  if (!has_many && segments.size() != pattern.size()) return std::nullopt;
  const std::size_t extra = segments.size() - pattern.size();
  PathParameters parameters;
  std::size_t at = 0;
  for (const auto& expected : pattern) {
    const std::size_t end = at + 1 + (expected.kind == Kind::Many ? extra : 0);
    if (expected.kind != Kind::Literal) {
      parameters.emplace_back(expected.text, join(segments, at, end));
    } else if (segments[at] != expected.text) {
      return std::nullopt;
    }
    at = end;
  }
  return parameters;
}

bool RouteTable::is_more_specific(const Entry& a, const Entry& b) {
  const auto count = std::min(a.segments.size(), b.segments.size());
  for (std::size_t i = 0; i < count; ++i) {
    if (a.segments[i].kind != b.segments[i].kind) return a.segments[i].kind < b.segments[i].kind;
  }
  return a.segments.size() > b.segments.size();
}

RouteResult RouteTable::find(std::string_view method,
                             const std::vector<std::string>& segments) const {
  const Entry* best = nullptr;
  bool best_is_exact = false;
  PathParameters best_parameters;
  std::vector<std::string> allowed;
  const auto allow = [&](std::string_view name) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      allowed.emplace_back(name);
    }
  };
  for (const auto& entry : entries_) {
    auto parameters = match(entry, segments);
    if (!parameters) continue;
    allow(entry.route.method);
    const bool takes_head = entry.route.method == "GET" && entry.route.takes_head;
    if (takes_head) allow("HEAD");
    const bool is_exact = entry.route.method == method;
    if (!is_exact && !(method == "HEAD" && takes_head)) continue;
    // A HEAD route of its own beats the GET route that stands in for it.
    if (!best || (is_exact && !best_is_exact) ||
        (is_exact == best_is_exact && is_more_specific(entry, *best))) {
      best = &entry;
      best_is_exact = is_exact;
      best_parameters = std::move(*parameters);
    }
  }
  if (best) return RouteMatch{&best->route, std::move(best_parameters)};
  if (allowed.empty()) return NoSuchPath{};
  allow("OPTIONS");
  return NoSuchMethod{fmt::format("{}", fmt::join(allowed, ", "))};
}

std::vector<std::string> RouteTable::describe() const {
  std::vector<std::string> lines;
  for (const auto& entry : entries_) {
    lines.push_back(entry.route.method + " " + entry.route.pattern);
  }
  return lines;
}

}  // namespace limner::http
