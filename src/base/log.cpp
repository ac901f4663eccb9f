#include "base/log.hpp"

#include <string>
#include <utility>

#include <fmt/format.h>

#include "base/descriptor_sink.hpp"

namespace limner::log {

Result<void> init(std::string_view level) {
  const auto parsed = spdlog::level::from_str(std::string(level));
  if (parsed == spdlog::level::off && level != "off") {
    return invalid_value("log_level",
                         fmt::format("log_level: got \"{}\", expected trace, debug, info, warn, "
                                     "error or off",
                                     level));
  }
  auto logger = std::make_shared<spdlog::logger>("limner", std::make_shared<DescriptorSink>(2));
  logger->set_level(parsed);
  spdlog::set_default_logger(std::move(logger));
  return {};
}

}  // namespace limner::log
