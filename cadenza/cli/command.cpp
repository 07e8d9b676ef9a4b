#include "cadenza/cli/command.h"

#include <algorithm>
#include <utility>

namespace cadenza {

std::string Argument::display() const {
  if (is_positional) return placeholder;
  std::string flag = "--" + option.name;
  std::ranges::replace(flag, '_', '-');
  return flag;
}

Argument Argument::required() const {
  Argument changed = *this;
  changed.is_required = true;
  return changed;
}
Argument Argument::repeated() const {
  Argument changed = *this;
  changed.is_repeated = true;
  return changed;
}
Argument Argument::positional() const {
  Argument changed = *this;
  changed.is_positional = true;
  return changed;
}
Argument Argument::short_form(std::string letter) const {
  Argument changed = *this;
  changed.short_name = std::move(letter);
  return changed;
}

Argument argument(OptionSpec option, std::string placeholder) {
  return {.option = std::move(option), .placeholder = std::move(placeholder)};
}
Argument optional_argument(OptionSpec option, std::string placeholder) {
  Argument made = argument(std::move(option), std::move(placeholder));
  made.has_default = false;
  return made;
}
Argument text_argument(std::string name, std::string placeholder, std::string summary) {
  return optional_argument(text_option(std::move(name), "", std::move(summary)),
                           std::move(placeholder));
}
Argument text_argument(std::string name, std::string placeholder, std::string default_value,
                       std::string summary) {
  return argument(text_option(std::move(name), std::move(default_value), std::move(summary)),
                  std::move(placeholder));
}
Argument flag_argument(std::string name, std::string summary) {
  return argument(flag_option(std::move(name), false, std::move(summary)), "");
}

const std::vector<Argument>& common_arguments() {
  static const std::vector<Argument> kCommon = {
      flag_argument("json", "print results as JSON"),
      flag_argument("verbose", "tell more on standard error").short_form("v"),
      flag_argument("quiet", "print nothing but results and errors").short_form("q"),
      argument(integer_option("threads", 0, 0, 4096,
                              "threads to use; 0: as many as this process "
                              "may have"),
               "N"),
      text_argument("device", "DEVICE", "cpu", "cpu or cuda:N"),
      text_argument("weights", "DIR", "folder of <network>.safetensors files"),
      text_argument("config", "FILE",
                    "YAML or JSON file with values for these options; the "
                    "command line overrides it"),
      flag_argument("help", "print this text").short_form("h"),
  };
  return kCommon;
}

std::vector<Argument> Command::all_arguments() const {
  auto all = arguments;
  all.insert(all.end(), common_arguments().begin(), common_arguments().end());
  return all;
}

const Command* CommandTable::find(std::string_view name) const {
  const auto found = std::ranges::find(commands_, name, &Command::name);
  return found == commands_.end() ? nullptr : &*found;
}

std::vector<const Command*> CommandTable::group(std::string_view group) const {
  std::vector<const Command*> members;
  for (const auto& command : commands_) {
    if (command.name.starts_with(std::string(group) + " ")) members.push_back(&command);
  }
  return members;
}

std::vector<std::string> CommandTable::names() const {
  std::vector<std::string> all;
  for (const auto& command : commands_) {
    if (!command.is_hidden) all.push_back(command.name);
  }
  return all;
}

}  // namespace cadenza
