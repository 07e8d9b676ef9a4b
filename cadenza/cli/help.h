#pragma once

#include <string>
#include <string_view>

#include "cadenza/cli/command.h"

namespace cadenza {

/// What `cadenza --help` prints.
std::string help_text(const CommandTable& table);
/// What `cadenza COMMAND --help` prints.
std::string help_text(const Command& command);
/// What `cadenza GROUP --help` prints.
std::string group_help_text(const CommandTable& table, std::string_view group);

/// cadenza.1 in troff.
std::string man_page(const CommandTable& table, std::string_view version);
std::string bash_completion(const CommandTable& table);
std::string zsh_completion(const CommandTable& table);

}  // namespace cadenza
