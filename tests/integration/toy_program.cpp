// bin/cadenza with the methods of tests/support/toy_methods.h: learns and judges in milliseconds
// without weights, so that tests can run, stop and kill it as often as they like.
#include <iostream>
#include <string>
#include <vector>

#include "tests/support/toy_methods.h"

#include "cadenza/cli/parse.h"
#include "cadenza/cli/run.h"

int main(int argc, char** argv) {
  using namespace cadenza;
  const std::vector<std::string> all(argv + 1, argv + argc);
  std::span<const std::string> words = all;
  try {
    const CommandTable table = builtin_commands();
    const Command& command = take_command(table, words);
    return run_command(parse_arguments(command, words), toy_methods());
  } catch (const UsageError& error) {
    std::cerr << "cadenza: " << error.what() << '\n';
    return kExitUsage;
  }
}
