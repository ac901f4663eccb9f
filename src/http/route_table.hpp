// Method and path → handler.
#pragma once

#include <any>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.hpp"
#include "http/exchange.hpp"
#include "http/multipart_parser.hpp"

namespace limner::http {

// What a route takes as its body. Another media type is 415, a larger body 413.
struct BodyPolicy {
  bool takes_json = false;
  bool takes_multipart = false;
  std::size_t json_bytes_max = 0;
  MultipartLimits multipart = {};
  // Routes that take nothing still tolerate (and drop) a body as small as this.
  std::size_t ignored_bytes_max = 64u << 10;

  static BodyPolicy none() { return {}; }
  static BodyPolicy json(std::size_t bytes_max) {
    return {.takes_json = true, .json_bytes_max = bytes_max};
  }
  static BodyPolicy form(MultipartLimits limits) {
    return {.takes_multipart = true, .multipart = limits};
  }
  static BodyPolicy json_or_form(std::size_t bytes_max, MultipartLimits limits) {
    return {.takes_json = true,
            .takes_multipart = true,
            .json_bytes_max = bytes_max,
            .multipart = limits};
  }
};

struct Admitted {
  std::any context = {};   // what the handler finds in Exchange::context()
  std::string owner = {};  // whose share of the server's memory it takes; empty: its address's
};
// An answer before the body is read (the connection then closes if a body was announced), or who
// asks.
using HeadDecision = std::variant<Admitted, Response>;
// Runs on an I/O thread and must not block. The request has no body yet.
using HeadHook = std::function<HeadDecision(const Request& head)>;

struct Route {
  std::string method;
  // "/v1/models/{id}"; "{id...}" takes one or more segments up to the literals that follow it.
  std::string pattern;
  Handler handler;
  BodyPolicy body = {};
  HeadHook on_head = {};
  bool takes_head = true;  // a GET that also answers HEAD: not one with effects
  bool is_vital = false;   // answered even when there are too many connections: probes
};

using PathParameters = std::vector<std::pair<std::string, std::string>>;

struct RouteMatch {
  const Route* route = nullptr;
  PathParameters parameters;
};
struct NoSuchPath {};
// `allow` is the Allow header: "GET, HEAD, OPTIONS".
struct NoSuchMethod {
  std::string allow;
};
using RouteResult = std::variant<RouteMatch, NoSuchPath, NoSuchMethod>;

// Filled once before the server starts, then only read.
class RouteTable {
 public:
  // A malformed pattern, or the same method and pattern twice, is our own bug.
  void add(Route route);
  // All of another table's routes; `hook` asks at those that have none of their own.
  void add_behind(const HeadHook& hook, RouteTable routes);

  // Literal segments win over parameters, from left to right. HEAD falls back to GET where that
  // takes it.
  RouteResult find(std::string_view method, const std::vector<std::string>& segments) const;
  std::size_t size() const { return entries_.size(); }
  // "GET /v1/models", in order of adding; for documentation and tests.
  std::vector<std::string> describe() const;

 private:
  enum class Kind { Literal, One, Many };
  struct Segment {
    Kind kind;
    std::string text;  // literal, or the parameter's name
  };
  struct Entry {
    Route route;
    std::vector<Segment> segments;
  };
  static std::vector<Segment> parse_pattern(std::string_view pattern);
  static std::optional<PathParameters> match(const Entry& entry,
                                             const std::vector<std::string>& segments);
  static bool is_more_specific(const Entry& a, const Entry& b);

  std::vector<Entry> entries_;
};

}  // namespace limner::http
