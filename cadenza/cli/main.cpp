// bin/cadenza: understands the command line without LibTorch, then opens libcadenza.so, which runs
// the command. Loading LibTorch costs 0.2 s; --help must not.
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <iostream>
#include <string>
#include <vector>

#include <dlfcn.h>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/cli/command.h"
#include "cadenza/cli/exit_status.h"
#include "cadenza/cli/help.h"
#include "cadenza/cli/parse.h"
#include "cadenza/cli/run.h"

namespace cadenza {

namespace {

constexpr const char* kLibrary = "libcadenza.so.0";

/// How long OpenMP's threads (LibTorch's) turn round a lock before they sleep. Their own choice is
/// milliseconds, which they take from OpenVINO's threads on the same processors: `predict` loses a
/// fifth of its speed.
constexpr const char* kOpenMpTurns = "2000";

/// Runs the command in the library that lies beside this program (its run path leads there).
int run_in_library(const Invocation& invocation) {
  ::setenv("GOMP_SPINCOUNT", kOpenMpTurns, /*overwrite=*/0);
  void* const library = ::dlopen(kLibrary, RTLD_NOW | RTLD_LOCAL);
  CADENZA_REQUIRE(library != nullptr, ErrorCode::kNotFound, ::dlerror(),
                  "; the program and its lib folder belong together: install both again");
  const auto entry = reinterpret_cast<RunCommand*>(::dlsym(library, kRunCommandName));
  CADENZA_REQUIRE(entry != nullptr, ErrorCode::kUnsupported, kLibrary,
                  ": of another version than this program: install both again");
  return entry(invocation);
}

/// `cadenza generate DIR`, run by the build: man page and completions.
void write_generated(const CommandTable& table, const std::filesystem::path& share) {
  const auto write = [&](const char* name, const std::string& text) {
    std::filesystem::create_directories((share / name).parent_path());
    write_file_atomic(share / name, text);
  };
  write("man/man1/cadenza.1", man_page(table, CADENZA_VERSION));
  write("bash-completion/completions/cadenza", bash_completion(table));
  write("zsh/site-functions/_cadenza", zsh_completion(table));
}

int run(std::span<const std::string> words) {
  const CommandTable table = builtin_commands();
  if (words.empty() || words[0] == "--help" || words[0] == "-h" ||
      (words[0] == "help" && words.size() == 1)) {
    std::cout << help_text(table);
    return words.empty() ? kExitUsage : kExitDone;
  }
  if (words[0] == "--version") {
    std::cout << "cadenza " << CADENZA_VERSION << '\n';
    return kExitDone;
  }
  if (words[0] == "generate" && words.size() == 2) {
    write_generated(table, words[1]);
    return kExitDone;
  }
  const bool wants_help = words[0] == "help" || asks_for_help(words);
  if (words[0] == "help") words = words.subspan(1);
  if (wants_help && !table.group(words[0]).empty() &&
      (words.size() == 1 || words[1].starts_with("-"))) {
    std::cout << group_help_text(table, words[0]);
    return kExitDone;
  }
  const Command& command = take_command(table, words);
  if (wants_help) {
    std::cout << help_text(command);
    return kExitDone;
  }
  return run_in_library(parse_arguments(command, words));
}

}  // namespace

}  // namespace cadenza

int main(int argc, char** argv) {
  try {
    const std::vector<std::string> words(argv + 1, argv + argc);
    return cadenza::run(words);
  } catch (const cadenza::UsageError& error) {
    std::cerr << "cadenza: " << error.what() << '\n';
    return cadenza::kExitUsage;
  } catch (const cadenza::Error& error) {
    std::cerr << "cadenza: " << error.what() << '\n';
    return cadenza::exit_status(error.code());
  } catch (const std::exception& error) {
    std::cerr << "cadenza: " << error.what() << '\n';
    return cadenza::kExitInternal;
  }
}
