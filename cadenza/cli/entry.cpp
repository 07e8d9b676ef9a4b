#include <filesystem>
#include <iostream>
#include <new>

#include <ATen/Parallel.h>
#include <c10/util/Exception.h>

#include "cadenza/base/error.h"
#include "cadenza/cli/run.h"
#include "cadenza/cli/stop_signal.h"
#include "cadenza/cli/terminal.h"
#include "cadenza/cli/thread_count.h"
#include "cadenza/method/registry.h"

namespace cadenza {

namespace {

Loudness loudness_of(const Invocation& invocation) {
  if (invocation.flag("quiet")) return Loudness::kQuiet;
  return invocation.flag("verbose") ? Loudness::kVerbose : Loudness::kNormal;
}

int report(std::string_view message, ErrorCode code) {
  std::cerr << "cadenza: " << message << '\n';
  return exit_status(code);
}

/// What may be thrown below is translated here and nowhere else in the command line.
int run_guarded(const CommandContext& context, const RunTable::Run& run) {
  try {
    const int status = run(context);
    context.out.flush();
    CADENZA_REQUIRE(context.out.good(), ErrorCode::kIo, "standard output cannot be written");
    return status;
  } catch (const Error& error) {
    context.progress.end();
    return report(error.what(), error.code());
  } catch (const std::filesystem::filesystem_error& error) {
    return report(cat(error.path1().string(), ": ", error.code().message()), ErrorCode::kIo);
  } catch (const std::bad_alloc&) {
    return report("out of memory", ErrorCode::kLimitExceeded);
  } catch (const c10::Error& error) {
    return report(cat("a bug in Cadenza: ", error.what_without_backtrace()), ErrorCode::kInternal);
  } catch (const std::exception& error) {
    return report(cat("a bug in Cadenza: ", error.what()), ErrorCode::kInternal);
  }
}

}  // namespace

int run_command(const Invocation& invocation, const MethodRegistry& methods) {
  const StopSignal stop;
  Terminal terminal(loudness_of(invocation));
  const std::string folder = invocation.command.substr(0, invocation.command.find(' '));
  const RunTable runs = builtin_runs();
  const RunTable::Run* const run = runs.find(folder);
  if (run == nullptr)
    return report(cat("no command '", folder, "' in libcadenza"), ErrorCode::kInternal);
  const int n_threads = thread_count(invocation.integer("threads"));
  at::set_num_threads(n_threads);
  at::set_num_interop_threads(1);
  return run_guarded({invocation, methods, std::cout, terminal, stop.token()}, *run);
}

}  // namespace cadenza

extern "C" __attribute__((visibility("default"))) int cadenza_run_command(
    const cadenza::Invocation& invocation) {
  return cadenza::run_command(invocation, cadenza::builtin_methods());
}
