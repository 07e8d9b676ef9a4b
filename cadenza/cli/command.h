#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/options.h"

namespace cadenza {

/// One argument of a command: an option of the common kind plus what a command line adds to it.
/// The option's name is also the key in a configuration file; on the command line underscores are
/// dashes: target_fpr is --target-fpr.
struct Argument {
  OptionSpec option;
  std::string placeholder;     ///< "DIR"; empty for flags
  bool is_positional = false;  ///< given without its name
  bool is_required = false;
  bool is_repeated = false;     ///< given several times; its values are a list
  bool has_default = true;      ///< false: absent unless given
  std::string short_name = {};  ///< "v" for -v

  /// "--target-fpr" or "PATH".
  std::string display() const;

  // How tables are written: text_argument("model", "DIR", "...").required()
  Argument required() const;
  Argument repeated() const;
  Argument positional() const;
  Argument short_form(std::string letter) const;
};

Argument text_argument(std::string name, std::string placeholder, std::string summary);
Argument text_argument(std::string name, std::string placeholder, std::string default_value,
                       std::string summary);
/// `option` with its default.
Argument argument(OptionSpec option, std::string placeholder);
/// `option` without one: absent unless given.
Argument optional_argument(OptionSpec option, std::string placeholder);
Argument flag_argument(std::string name, std::string summary);

/// One command ("train", "task list") as data: parser, --help, man page and completions are made
/// from it.
struct Command {
  std::string name;
  std::string summary;           ///< one line
  std::string description = {};  ///< more, for --help and the man page; may be empty
  std::vector<Argument> arguments = {};
  std::vector<std::string> examples = {};
  bool is_hidden = false;  ///< not in lists

  /// Its own arguments, then those that all commands take.
  std::vector<Argument> all_arguments() const;
};

/// What every command takes: --json --help -v -q --threads --device --weights --config.
const std::vector<Argument>& common_arguments();

/// All commands, in the order in which --help lists them.
class CommandTable {
 public:
  void add(Command command) { commands_.push_back(std::move(command)); }
  const std::vector<Command>& commands() const noexcept { return commands_; }
  const Command* find(std::string_view name) const;
  /// The commands that start with `group` and a space.
  std::vector<const Command*> group(std::string_view group) const;
  /// Names without those of hidden commands.
  std::vector<std::string> names() const;

 private:
  std::vector<Command> commands_;
};

/// All commands of this build, from the list that CMake writes of the folders beside this file.
CommandTable builtin_commands();

}  // namespace cadenza
