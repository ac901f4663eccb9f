#include "base/log.hpp"

#include <string>

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>

namespace limner::log {

Result<void> init(std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    return invalid_value("log_level",
                         fmt::format("log_level: got \"{}\", expected trace, debug, info, warn, "
                                     "error or off",
                                     level));
  }
  auto logger = spdlog::stderr_color_mt("limner");
  logger->set_pattern("%Y-%m-%dT%H:%M:%S.%e%z %^%l%$ %v");
  logger->set_level(parsed);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace limner::log
