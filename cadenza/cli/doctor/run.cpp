#include "cadenza/cli/run.h"

#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/cli/doctor/checks.h"
#include "cadenza/cli/registry_listing.h"
#include "cadenza/cli/thread_count.h"
#include "cadenza/experiment/machine.h"

namespace cadenza {

namespace {

/// A model directory that is not there yet would be made in its parent.
std::filesystem::path folder_to_write(const std::filesystem::path& model) {
  const auto path = std::filesystem::weakly_canonical(model);
  return std::filesystem::is_directory(path) ? path : path.parent_path();
}

int run_doctor(const CommandContext& context) {
  const auto& invocation = context.invocation;
  const int n_threads = thread_count(invocation.integer("threads"));
  const NetworkEnvironment environment{.weights_folder = invocation.text_or("weights", ""),
                                       .device = invocation.text("device"),
                                       .n_threads = n_threads};
  const auto findings = examine(environment, folder_to_write(invocation.text("model")));
  int status = kExitDone;
  Json list = Json::array();
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& finding : findings) {
    if (!finding.is_good && status == kExitDone) status = exit_status(finding.code);
    list.push_back({{"name", finding.name}, {"found", finding.found}, {"good", finding.is_good}});
    if (!finding.is_good) list.back()["remedy"] = finding.remedy;
    rows.emplace_back((finding.is_good ? "ok    " : "WRONG ") + finding.name,
                      finding.found + (finding.is_good ? "" : "; " + finding.remedy));
  }
  const auto machine = describe_machine(n_threads);
  if (invocation.flag("json")) {
    const Json result = {
        {"good", status == kExitDone}, {"environment", machine}, {"findings", list}};
    context.out << result.dump(2) << '\n';
  } else {
    context.out << "cadenza " << machine.at("cadenza").get<std::string>() << '\n'
                << names_text(rows);
  }
  return status;
}

}  // namespace

void register_doctor(RunTable& table) { table.add("doctor", run_doctor); }

}  // namespace cadenza
