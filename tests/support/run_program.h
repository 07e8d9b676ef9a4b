#pragma once

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/support/temporary_folder.h"
#include <sys/wait.h>

namespace cadenza {

/// What a program left: its exit status and all that it printed.
struct ProgramResult {
  int status = -1;
  std::string out, err;
};

inline std::string shell_quoted(const std::string& text) {
  std::string quoted = "'";
  for (const char letter : text) quoted += letter == '\'' ? "'\\''" : std::string(1, letter);
  return quoted + "'";
}

/// Runs `words` (a program and its arguments) in `folder`, or here when that is empty.
inline ProgramResult run_program(const std::vector<std::string>& words,
                                 const std::filesystem::path& folder = {}) {
  const TemporaryFolder scratch;
  const auto path_of = [&](const char* name) { return (scratch.path() / name).string(); };
  std::string command = folder.empty() ? "" : "cd " + shell_quoted(folder.string()) + " && ";
  for (const auto& word : words) command += shell_quoted(word) + " ";
  command += ">" + shell_quoted(path_of("out")) + " 2>" + shell_quoted(path_of("err"));
  const int raw = std::system(command.c_str());
  const auto text_of = [&](const char* name) {
    std::ifstream file(path_of(name), std::ios::binary);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  return {WIFEXITED(raw) ? WEXITSTATUS(raw) : -1, text_of("out"), text_of("err")};
}

}  // namespace cadenza
