// argv → a command and the texts of its flags. The flags come from the table in settings.hpp.
#pragma once

#include <map>
#include <string>

#include "base/result.hpp"
#include "config/config.hpp"
#include "config/raw_value.hpp"

namespace limner::config {

struct CommandLine {
  Command command = Command::Help;
  std::string help;                         // when command is Help
  std::string config_file;                  // --config
  std::string prompt;                       // generate, bench
  std::string key_name;                     // keys create NAME, keys revoke ID
  std::map<std::string, RawValues> values;  // by key of the setting
};

Result<CommandLine> parse_command_line(int argc, const char* const* argv);

// Which settings the command takes.
unsigned command_bit(Command command);

}  // namespace limner::config
