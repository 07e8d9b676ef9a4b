#include <cstdlib>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/cli/help.h"
#include "cadenza/cli/parse.h"

namespace cadenza {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

Command example() {
  return {
      .name = "learn",
      .summary = "learns",

      .arguments = {text_argument("files", "PATH", "files").positional().repeated(),
                    text_argument("model", "DIR", "model directory").required(),
                    text_argument("normal", "PATH", "normals").repeated(),
                    argument(real_option("target_fpr", 0.05, 0.001, 0.5, "false alarms"), "R"),
                    optional_argument(integer_option("seed", 0, 0, 9, "seed"), "N"),
                    argument(choice_option("save", "none", {"none", "map"}, "what"), "WHAT"),
                    text_argument("set", "KEY=VALUE", "options").repeated()},
  };
}

Invocation parse(std::vector<std::string> words) { return parse_arguments(example(), words); }

std::string usage_error(std::vector<std::string> words) {
  try {
    parse(std::move(words));
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(ParseArguments, FillsDefaultsAndLeavesOptionalOnesAbsent) {
  const auto given = parse({"--model", "line"});
  EXPECT_EQ(given.text("model"), "line");
  EXPECT_DOUBLE_EQ(given.real("target_fpr"), 0.05);
  EXPECT_FALSE(given.has("seed"));
  EXPECT_FALSE(given.flag("json"));
  EXPECT_TRUE(given.list("normal").empty());
}

TEST(ParseArguments, TakesListsFlagsAndPositionals) {
  const auto given = parse({"a.png", "b.png", "--normal", "x", "y", "--model=line", "--normal",
                            "z z", "--json", "-q", "--target-fpr", "0.01"});
  EXPECT_THAT(given.list("files"), ElementsAre("a.png", "b.png"));
  EXPECT_THAT(given.list("normal"), ElementsAre("x", "y", "z z"));
  EXPECT_TRUE(given.flag("json") && given.flag("quiet"));
  EXPECT_DOUBLE_EQ(given.real("target_fpr"), 0.01);
}

TEST(ParseArguments, NamesTheNearestOption) {
  EXPECT_THAT(usage_error({"--modle", "line"}), HasSubstr("--modle; did you mean --model?"));
  EXPECT_THAT(usage_error({"--model", "m", "--target_fpr=0.1"}),
              HasSubstr("did you mean --target-fpr?"));
}

TEST(ParseArguments, RefusesWhatIsNotOfTheTable) {
  EXPECT_THAT(usage_error({}), HasSubstr("--model is missing"));
  EXPECT_THAT(usage_error({"--model", "a", "--model", "b"}), HasSubstr("was given 2 times"));
  EXPECT_THAT(usage_error({"--model", "a", "--seed", "10"}), HasSubstr("integer in [0, 9]"));
  EXPECT_THAT(usage_error({"--model", "a", "--target-fpr", "nan"}), HasSubstr("number in"));
  EXPECT_THAT(usage_error({"--model", "a", "--save", "mask"}), HasSubstr("one of none, map"));
  EXPECT_THAT(usage_error({"--model"}), HasSubstr("--model"));
}

TEST(ParseArguments, ConfigurationFileGivesWhatTheCommandLineLeavesOpen) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "c.yaml").string();
  write_file_atomic(
      file, "model: fromfile\ntarget-fpr: 0.2\nset: {epochs: 3}\nnormal: [a, b c]\njson: true\n");
  const auto given = parse({"--config", file, "--model", "line"});
  EXPECT_EQ(given.text("model"), "line");
  EXPECT_DOUBLE_EQ(given.real("target_fpr"), 0.2);
  EXPECT_THAT(given.list("set"), ElementsAre("epochs=3"));
  EXPECT_THAT(given.list("normal"), ElementsAre("a", "b c"));
  EXPECT_TRUE(given.flag("json"));
}

TEST(ParseArguments, ConfigurationFileMayBeJson) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "c.json").string();
  write_file_atomic(file, R"({"model": "line", "seed": 4})");
  EXPECT_EQ(parse({"--config", file}).integer("seed"), 4);
}

TEST(ParseArguments, ConfigurationFileErrorsNameFileAndKey) {
  const TemporaryFolder folder;
  const std::string file = (folder.path() / "c.yaml").string();
  write_file_atomic(file, "modle: line\n");
  EXPECT_THAT(usage_error({"--config", file}),
              HasSubstr("c.yaml: unknown key 'modle'; did you mean model?"));
  write_file_atomic(file, "model: [\n");
  EXPECT_THAT(usage_error({"--config", file}), HasSubstr("c.yaml: line 2"));
  EXPECT_THAT(usage_error({"--config", file + "x"}), HasSubstr("cannot be read"));
}

CommandTable table() {
  CommandTable commands;
  commands.add(example());
  commands.add({
      .name = "task list",
      .summary = "lists",
  });
  return commands;
}

std::string command_error(std::vector<std::string> words) {
  try {
    std::span<const std::string> rest = words;
    take_command(table(), rest);
  } catch (const UsageError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

TEST(TakeCommand, FindsOneAndTwoWords) {
  const auto commands = table();
  const std::vector<std::string> words = {"task", "list", "--model", "m"};
  std::span<const std::string> rest = words;
  EXPECT_EQ(take_command(commands, rest).name, "task list");
  EXPECT_THAT(rest, ElementsAre("--model", "m"));
}

TEST(TakeCommand, NamesTheNearest) {
  EXPECT_THAT(command_error({"laern"}), HasSubstr("did you mean learn?"));
  EXPECT_THAT(command_error({"task", "lsit"}), HasSubstr("did you mean task list?"));
  EXPECT_THAT(command_error({"task"}), HasSubstr("needs one more word: task list"));
  EXPECT_THAT(command_error({}), HasSubstr("no command"));
}

TEST(Help, IsMadeOfTheTable) {
  const std::string text = help_text(example());
  for (const char* expected : {"usage: cadenza learn [PATH...] --model DIR [options]",
                               "--target-fpr R", "default 0.05", "--json", "one of none, map"}) {
    EXPECT_THAT(text, HasSubstr(expected));
  }
  EXPECT_THAT(help_text(table()), HasSubstr("task list"));
}

TEST(Help, NoLineIsWiderThanATerminal) {
  const CommandTable commands = builtin_commands();
  for (const auto& command : commands.commands()) {
    std::istringstream lines(help_text(command));
    for (std::string line; std::getline(lines, line);) {
      EXPECT_LE(line.size(), 100U) << command.name << ": " << line;
    }
  }
}

TEST(Completion, NamesCommandsGroupsAndFlags) {
  const std::string text = bash_completion(table());
  EXPECT_THAT(text, HasSubstr("words='learn task'"));
  EXPECT_THAT(text, HasSubstr("task) words='list'"));
  EXPECT_THAT(text, HasSubstr("--target-fpr"));
}

TEST(Completion, IsShellAlsoWithoutGroups) {
  const TemporaryFolder folder;
  CommandTable alone;
  alone.add(example());
  for (const auto& commands : {alone, table(), builtin_commands()}) {
    const auto file = folder.path() / "completion";
    write_file_atomic(file, bash_completion(commands));
    EXPECT_EQ(std::system(("bash -n '" + file.string() + "'").c_str()), 0);
  }
}

TEST(ManPage, EscapesWhatTroffWouldRead) {
  const std::string page = man_page(table(), "1.2");
  EXPECT_THAT(page, HasSubstr("\\-\\-target\\-fpr"));
  EXPECT_THAT(page, HasSubstr(".SS cadenza task list"));
}

}  // namespace
}  // namespace cadenza
