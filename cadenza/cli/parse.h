#pragma once

#include <span>
#include <stdexcept>
#include <string>

#include "cadenza/cli/command.h"
#include "cadenza/cli/invocation.h"

namespace cadenza {

/// The user wrote something that is no command line of ours: exit status 2.
class UsageError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// Finds the command that `words` (argv without the program) start with and removes its words.
/// Errors   UsageError naming the nearest command.
const Command& take_command(const CommandTable& table, std::span<const std::string>& words);

/// Reads the words after the command, and the configuration file that they name.
/// Errors   UsageError: an unknown option (naming the nearest), a missing or bad value.
Invocation parse_arguments(const Command& command, std::span<const std::string> words);

/// True if the words ask for help before anything else may be wrong with them.
bool asks_for_help(std::span<const std::string> words);

}  // namespace cadenza
