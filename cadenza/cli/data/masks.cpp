#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/cli/data/data.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/structure/region_source/write_mask_tree.h"

namespace cadenza {

int run_data_masks(const CommandContext& context) {
  const auto& given = context.invocation;
  const auto dataset = asked_dataset(context);
  const bool all = given.text("split") == "all";
  std::vector<std::filesystem::path> pictures;
  for (const auto& sample : dataset.samples) {
    if (all || sample.split == Split::kTrain) pictures.push_back(sample.file);
  }
  // Lists name pictures that may lie anywhere beside them.
  const auto root =
      std::filesystem::is_directory(dataset.root) ? dataset.root : dataset.root.parent_path();
  const MaskTreeRequest request{
      .method = given.text("method"),
      .options = parse_settings(given.list("set")),
      .format = given.flag("compat") ? LabelMapFormat::kAuthors8Bit : LabelMapFormat::k16Bit};
  const auto report = write_mask_tree(root, pictures, given.text("out"), request,
                                      environment_of(context), context.progress, context.stop);
  for (const auto& failure : report.failures) context.progress.warn(failure.error.what());
  if (given.flag("json")) {
    Json failures = Json::array();
    for (const auto& [picture, error] : report.failures) {
      failures.push_back(
          {{"file", picture.string()},
           {"error", {{"code", to_string(error.code())}, {"message", error.what()}}}});
    }
    const Json result = {{"out", given.text("out")},
                         {"written", report.n_written},
                         {"kept", report.n_kept},
                         {"failures", failures}};
    context.out << result.dump(2) << '\n';
  } else {
    context.out << given.text("out") << ": " << report.n_written << " region maps made, "
                << report.n_kept << " were there\n";
  }
  return report.failures.empty() ? kExitDone : kExitSomeFailed;
}

}  // namespace cadenza
