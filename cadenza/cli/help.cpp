#include "cadenza/cli/help.h"

#include <algorithm>
#include <set>
#include <sstream>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

namespace {

constexpr std::size_t kColumns = 100;
constexpr std::size_t kSummaryColumn = 28;

/// `text` in lines that start at column `indent`; the first line is already there.
std::string wrapped(const std::string& text, std::size_t indent) {
  std::istringstream words(text);
  std::string out, word;
  std::size_t column = indent;
  while (words >> word) {
    if (column > indent && column + 1 + word.size() > kColumns) {
      out += "\n" + std::string(indent, ' ');
      column = indent;
    } else if (column > indent) {
      out += ' ';
      ++column;
    }
    out += word;
    column += word.size();
  }
  return out;
}

std::string table_row(const std::string& left, const std::string& right) {
  std::string row = "  " + left;
  if (row.size() + 2 > kSummaryColumn) {
    row += "\n" + std::string(kSummaryColumn, ' ');
  } else {
    row.resize(kSummaryColumn, ' ');
  }
  return row + wrapped(right, kSummaryColumn) + "\n";
}

std::string left_side(const Argument& argument) {
  std::string text = argument.short_name.empty() ? "" : "-" + argument.short_name + ", ";
  text += argument.display();
  if (!argument.is_positional && !argument.placeholder.empty()) text += " " + argument.placeholder;
  return text + (argument.is_repeated ? "..." : "");
}

/// The summary with range and default, as far as they say something.
std::string right_side(const Argument& argument) {
  std::string text = argument.option.summary;
  const auto& option = argument.option;
  if (option.type == OptionType::kInteger || option.type == OptionType::kReal ||
      option.type == OptionType::kChoice) {
    text += cat(" (", option.range());
    text += argument.has_default ? cat("; default ", option.default_value, ")") : ")";
  } else if (option.type == OptionType::kText && argument.has_default) {
    text += cat(" (default ", option.default_value, ")");
  }
  return text + (argument.is_required ? "; required" : "");
}

std::string usage_line(const Command& command) {
  std::string line = "cadenza " + command.name;
  for (const auto& argument : command.arguments) {
    if (!argument.is_required && !argument.is_positional) continue;
    const std::string text = left_side(argument);
    line += argument.is_required ? " " + text : " [" + text + "]";
  }
  return line + " [options]";
}

/// The first words of all commands, each once, in the table's order.
std::vector<std::string> first_words(const CommandTable& table) {
  std::vector<std::string> words;
  for (const auto& name : table.names()) {
    const std::string word = name.substr(0, name.find(' '));
    if (std::ranges::count(words, word) == 0) words.push_back(word);
  }
  return words;
}

std::vector<std::string> flags_of(const Command& command) {
  std::vector<std::string> flags;
  for (const auto& argument : command.all_arguments()) {
    if (!argument.is_positional) flags.push_back(argument.display());
  }
  return flags;
}

/// Troff takes backslashes, leading dots and quotes, and dashes as its own.
std::string troff(const std::string& text) {
  std::string out;
  for (const char letter : text) {
    if (letter == '\\') {
      out += "\\e";
    } else if (letter == '-') {
      out += "\\-";
    } else {
      if ((letter == '.' || letter == '\'') && (out.empty() || out.back() == '\n')) out += "\\&";
      out += letter;
    }
  }
  return out;
}

std::string troff_arguments(std::span<const Argument> arguments) {
  std::string out;
  for (const auto& argument : arguments) {
    out += cat(".TP\n.B ", troff(left_side(argument)), "\n", troff(right_side(argument)), "\n");
  }
  return out;
}

}  // namespace

std::string help_text(const CommandTable& table) {
  std::string text =
      "cadenza: learns what good parts of one product after another look like, and finds the "
      "others\n\nusage: cadenza COMMAND [options]\n\n";
  for (const auto& command : table.commands()) {
    if (!command.is_hidden) text += table_row(command.name, command.summary);
  }
  return text + "\n`cadenza COMMAND --help` tells more; `cadenza --version` the version.\n";
}

std::string help_text(const Command& command) {
  std::string text = cat("cadenza ", command.name, ": ", command.summary,
                         "\n\nusage: ", wrapped(usage_line(command), 7), "\n");
  if (!command.description.empty()) text += "\n" + wrapped(command.description, 0) + "\n";
  if (!command.arguments.empty()) text += "\n";
  for (const auto& argument : command.arguments) {
    text += table_row(left_side(argument), right_side(argument));
  }
  text += "\nlike all commands:\n";
  for (const auto& argument : common_arguments()) {
    text += table_row(left_side(argument), right_side(argument));
  }
  if (!command.examples.empty()) text += "\nexamples:\n";
  for (const auto& example : command.examples) text += "  " + example + "\n";
  return text;
}

std::string group_help_text(const CommandTable& table, std::string_view group) {
  std::string text = cat("usage: cadenza ", group, " COMMAND [options]\n\n");
  for (const auto* command : table.group(group)) {
    if (!command->is_hidden) text += table_row(command->name, command->summary);
  }
  return text;
}

std::string man_page(const CommandTable& table, std::string_view version) {
  std::string page = cat(".TH CADENZA 1 \"\" \"cadenza ", version,
                         "\" \"User Commands\"\n.SH NAME\ncadenza \\- continual visual anomaly "
                         "detection\n.SH SYNOPSIS\n.B cadenza\nCOMMAND [options]\n.SH COMMANDS\n");
  for (const auto& command : table.commands()) {
    if (command.is_hidden) continue;
    page += cat(".SS ", troff(usage_line(command)), "\n", troff(command.summary), ".\n");
    if (!command.description.empty()) page += cat(".PP\n", troff(command.description), "\n");
    page += troff_arguments(command.arguments);
  }
  page += ".SH OPTIONS OF ALL COMMANDS\n" + troff_arguments(common_arguments());
  page +=
      ".SH EXIT STATUS\n0 done; 1 \\-\\-fail\\-on and such an image was there; 2 usage; 3 some "
      "inputs failed and the others are done; 10 and above: one status for each kind of error "
      "(docs/exit\\-status.md).\n";
  return page;
}

std::string bash_completion(const CommandTable& table) {
  std::string cases;
  std::set<std::string> groups;
  for (const auto& command : table.commands()) {
    if (command.is_hidden) continue;
    const auto space = command.name.find(' ');
    if (space != std::string::npos) groups.insert(command.name.substr(0, space));
    cases += cat("    '", command.name, "') words='", join(flags_of(command), " "), "' ;;\n");
  }
  std::string group_cases;
  for (const auto& group : groups) {
    std::vector<std::string> members;
    for (const auto* command : table.group(group)) {
      members.push_back(command->name.substr(group.size() + 1));
    }
    group_cases += cat("    ", group, ") words='", join(members, " "), "' ;;\n");
  }
  return cat(
      "# Written by cadenza from its option tables.\n_cadenza() {\n"
      "  local here=${COMP_WORDS[COMP_CWORD]} words=\n"
      "  if [ \"$COMP_CWORD\" = 1 ]; then words='",
      join(first_words(table), " "),
      "'\n  elif [ \"$COMP_CWORD\" = 2 ] && [ \"${here#-}\" = \"$here\" ]; then\n"
      "    case ${COMP_WORDS[1]} in\n",
      group_cases,
      "    esac\n  fi\n  if [ -z \"$words\" ] && [ \"${here#-}\" != \"$here\" ]; then\n"
      "    local name=${COMP_WORDS[1]}\n    case $name in ",
      groups.empty() ? "''" : join(std::vector<std::string>(groups.begin(), groups.end()), "|"),
      ") name=\"$name ${COMP_WORDS[2]}\" ;; esac\n    case $name in\n", cases,
      "    esac\n  fi\n  COMPREPLY=($(compgen -W \"$words\" -- \"$here\"))\n}\n"
      "complete -o default -F _cadenza cadenza\n");
}

std::string zsh_completion(const CommandTable& table) {
  return "#compdef cadenza\nautoload -U +X bashcompinit && bashcompinit\n" + bash_completion(table);
}

}  // namespace cadenza
