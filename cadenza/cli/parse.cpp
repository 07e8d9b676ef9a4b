#include "cadenza/cli/parse.h"

#include <algorithm>
#include <optional>

#include <CLI/CLI.hpp>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/cli/config.h"

namespace cadenza {

namespace {

using Given = std::map<std::string, std::vector<std::string>>;

std::string nearest_hint(const std::string& name, std::span<const std::string> known) {
  const std::string nearest = nearest_name(name, known);
  return nearest.empty() ? "" : cat("; did you mean ", nearest, "?");
}

std::vector<std::string> flags_of(const Command& command) {
  std::vector<std::string> flags;
  for (const auto& argument : command.all_arguments()) {
    if (!argument.is_positional) flags.push_back(argument.display());
  }
  return flags;
}

[[noreturn]] void refuse(const Command& command, const std::string& message) {
  throw UsageError(cat(message, "\n`cadenza ", command.name, " --help` lists the options"));
}

/// The texts given for each argument, by its name.
Given read_words(const Command& command, std::span<const std::string> words) {
  CLI::App app;
  app.set_help_flag();
  app.allow_extras();
  const auto arguments = command.all_arguments();
  std::vector<std::vector<std::string>> values(arguments.size());
  std::vector<CLI::Option*> options;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const auto& argument = arguments[index];
    const std::string short_form =
        argument.short_name.empty() ? "" : cat("-", argument.short_name, ",");
    if (argument.option.type == OptionType::kFlag) {
      options.push_back(app.add_flag(short_form + argument.display()));
      continue;
    }
    const std::string name =
        argument.is_positional ? argument.option.name : short_form + argument.display();
    options.push_back(app.add_option(name, values[index]));
    // `--normal A B --model C`: a repeated option takes words up to the next option.
    options.back()->expected(1, argument.is_repeated ? 1 << 20 : 1);
    options.back()->multi_option_policy(CLI::MultiOptionPolicy::TakeAll);
  }
  try {
    app.parse(std::vector<std::string>(words.rbegin(), words.rend()));
  } catch (const CLI::ParseError& error) {
    refuse(command, error.what());
  }
  for (const auto& word : app.remaining()) {
    if (word.size() < 2 || word[0] != '-') refuse(command, cat("unexpected word '", word, "'"));
    const std::string flag = word.substr(0, word.find('='));
    refuse(command, cat("unknown option ", flag, nearest_hint(flag, flags_of(command))));
  }
  Given given;
  for (std::size_t index = 0; index < arguments.size(); ++index) {
    const auto& argument = arguments[index];
    if (options[index]->count() == 0) continue;
    const bool is_flag = argument.option.type == OptionType::kFlag;
    if (!is_flag && !argument.is_repeated && values[index].size() > 1) {
      refuse(command, cat(argument.display(), " was given ", values[index].size(), " times"));
    }
    given[argument.option.name] = is_flag ? std::vector<std::string>{"true"} : values[index];
  }
  return given;
}

/// Fills what the command line left open from the configuration file that it names.
void add_config(const Command& command, Given& given) {
  const auto config = given.find("config");
  if (config == given.end()) return;
  const std::string file = config->second.front();
  std::vector<std::string> known;
  for (const auto& argument : command.all_arguments()) known.push_back(argument.option.name);
  for (const auto& [name, values] : read_config(file)) {
    if (std::ranges::count(known, name) == 0) {
      throw UsageError(cat(file, ": unknown key '", name, "'", nearest_hint(name, known),
                           "\n`cadenza ", command.name, "` takes: ", join(known)));
    }
    if (!values.empty()) given.emplace(name, values);
  }
}

}  // namespace

bool asks_for_help(std::span<const std::string> words) {
  return std::ranges::any_of(
      words, [](const std::string& word) { return word == "--help" || word == "-h"; });
}

const Command& take_command(const CommandTable& table, std::span<const std::string>& words) {
  if (words.empty()) throw UsageError("no command; `cadenza --help` lists them");
  std::string name = words[0];
  std::size_t n_words = 1;
  if (!table.group(name).empty() && words.size() > 1 && !words[1].starts_with("-")) {
    name += " " + words[1];
    n_words = 2;
  }
  const Command* const command = table.find(name);
  if (command == nullptr) {
    std::string known;
    for (const auto* member : table.group(words[0])) {
      known += cat(known.empty() ? "" : ", ", member->name);
    }
    const auto names = table.names();
    throw UsageError(known.empty() || n_words == 2
                         ? cat("no command '", name, "'", nearest_hint(name, names),
                               "\n`cadenza --help` lists the commands")
                         : cat("'", name, "' needs one more word: ", known));
  }
  words = words.subspan(n_words);
  return *command;
}

Invocation parse_arguments(const Command& command, std::span<const std::string> words) {
  Given given = read_words(command, words);
  add_config(command, given);

  Invocation invocation{.command = command.name, .options = {}, .lists = {}};
  std::vector<OptionSpec> single;
  OptionTexts texts;
  for (const auto& argument : command.all_arguments()) {
    const auto found = given.find(argument.option.name);
    const bool is_given = found != given.end();
    if (argument.is_required && !is_given) refuse(command, cat(argument.display(), " is missing"));
    if (argument.is_repeated) {
      if (is_given) invocation.lists[argument.option.name] = found->second;
      continue;
    }
    if (!is_given && !argument.has_default) continue;
    single.push_back(argument.option);
    if (!is_given) continue;
    if (found->second.size() != 1) refuse(command, cat(argument.display(), " takes one value"));
    texts[argument.option.name] = found->second.front();
  }
  try {
    invocation.options = Options(cat("cadenza ", command.name), single, texts);
  } catch (const Error& error) {
    refuse(command, error.what());
  }
  return invocation;
}

}  // namespace cadenza
