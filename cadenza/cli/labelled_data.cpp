#include "cadenza/cli/labelled_data.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/dataset/layout.h"
#include "cadenza/experiment/stream_data.h"

namespace cadenza {

namespace {

void keep_tasks(Dataset& dataset, const std::vector<std::string>& tasks) {
  for (const auto& task : tasks) {
    CADENZA_REQUIRE(std::ranges::find(dataset.tasks, task) != dataset.tasks.end(),
                    ErrorCode::kNotFound,
                    "--tasks: ", unknown_name_message("task", task, dataset.tasks));
  }
  const std::set<std::string> kept(tasks.begin(), tasks.end());
  dataset.tasks.assign(kept.begin(), kept.end());
  std::erase_if(dataset.samples, [&](const Sample& sample) { return !kept.contains(sample.task); });
}

}  // namespace

std::vector<std::string> split_list(std::string_view option, std::string_view text) {
  std::vector<std::string> items;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(',', start), text.size());
    items.emplace_back(text.substr(start, end - start));
    CADENZA_REQUIRE(!items.back().empty(), ErrorCode::kInvalidArgument, option, " '", text,
                    "': expected names with commas between them, found an empty one");
    start = end + 1;
  }
  return items;
}

Dataset read_labelled_data(const CommandContext& context) {
  const auto& given = context.invocation;
  std::vector<Dataset> datasets;
  for (const auto& root : given.list("data")) {
    datasets.push_back(read_dataset(root, given.text("layout")));
  }
  auto dataset = join_datasets(std::move(datasets));
  for (const auto& note : dataset.notes) context.progress.warn(note);
  if (given.has("tasks")) keep_tasks(dataset, split_list("--tasks", given.text("tasks")));
  return dataset;
}

}  // namespace cadenza
