#include "cadenza/cli/run.h"

#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/inspector/model_directory.h"

namespace cadenza {

namespace {

int run_verify(const CommandContext& context) {
  const ModelDirectory directory(context.invocation.text("model"));
  const auto check = directory.check();
  const bool is_whole = check.problems.empty();
  if (context.invocation.flag("json")) {
    const Json result = {{"model", directory.path().string()},
                         {"whole", is_whole},
                         {"generations", check.n_generations},
                         {"pieces", check.n_pieces},
                         {"bytes", check.n_bytes},
                         {"unreferenced", check.n_unreferenced},
                         {"problems", check.problems}};
    context.out << result.dump(2) << '\n';
  } else {
    for (const auto& problem : check.problems) context.out << problem << '\n';
    context.out << directory.path().string() << ": " << (is_whole ? "whole" : "damaged") << "; "
                << check.n_generations << " generations, " << check.n_pieces << " pieces, "
                << check.n_bytes << " bytes\n";
    if (check.n_unreferenced > 0) {
      context.progress.warn(cat(check.n_unreferenced,
                                " files of an interrupted writer; the next "
                                "change removes them"));
    }
  }
  return is_whole ? kExitDone : kExitCorruptData;
}

}  // namespace

void register_verify(RunTable& table) { table.add("verify", run_verify); }

}  // namespace cadenza
