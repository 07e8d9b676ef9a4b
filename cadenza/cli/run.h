#pragma once

#include <functional>
#include <iosfwd>
#include <map>
#include <stop_token>
#include <string>

#include "cadenza/base/progress.h"
#include "cadenza/cli/exit_status.h"
#include "cadenza/cli/invocation.h"

namespace cadenza {

/// The entry that bin/cadenza looks up in libcadenza.so: runs a command, returns its exit status
/// and lets no exception out.
using RunCommand = int(const Invocation&);
inline constexpr const char* kRunCommandName = "cadenza_run_command";

class MethodRegistry;  // cadenza/method/registry.h

/// The same with other methods than those of this build.
int run_command(const Invocation& invocation, const MethodRegistry& methods);

/// What a command is given. Results go to `out` and nothing else does; all that a person may want
/// to see meanwhile goes to `progress`, which is standard error.
struct CommandContext {
  const Invocation& invocation;
  const MethodRegistry& methods;
  std::ostream& out;
  Progress& progress;
  std::stop_token stop;  ///< Ctrl-C
};

/// By command folder: "task" runs "task list", "task undo" and so on.
class RunTable {
 public:
  using Run = std::function<int(const CommandContext&)>;
  void add(std::string folder, Run run) { runs_.emplace(std::move(folder), std::move(run)); }
  /// Null if there is none.
  const Run* find(const std::string& folder) const {
    const auto found = runs_.find(folder);
    return found == runs_.end() ? nullptr : &found->second;
  }

 private:
  std::map<std::string, Run> runs_;
};

/// From the list that CMake writes of the folders beside this file.
RunTable builtin_runs();

}  // namespace cadenza
