#include "cadenza/experiment/stream_data.h"

#include <algorithm>
#include <set>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"

namespace cadenza {
namespace {

/// "mvtec" of "data/mvtec" and of "data/mvtec/".
std::string folder_name(const std::filesystem::path& root) {
  return (root.lexically_normal() / "").parent_path().filename().string();
}

void rename_task(Dataset& dataset, const std::string& from, const std::string& to) {
  std::ranges::replace(dataset.tasks, from, to);
  for (auto& sample : dataset.samples) {
    if (sample.task == from) sample.task = to;
  }
}

std::set<std::string> names_in_several(const std::vector<Dataset>& datasets) {
  std::set<std::string> seen, several;
  for (const auto& dataset : datasets) {
    for (const auto& task : dataset.tasks) {
      if (!seen.insert(task).second) several.insert(task);
    }
  }
  return several;
}

std::vector<Sample> pick(const std::vector<Sample>& samples, const std::string& task,
                         std::int64_t shots, std::uint64_t seed) {
  if (shots == 0) return samples;
  CADENZA_REQUIRE(std::ssize(samples) >= shots, ErrorCode::kInvalidArgument, "task '", task,
                  "': has ", samples.size(), " normals to learn, ", shots, " are asked for");
  std::vector<Sample> picked;
  for (const auto index : Rng(seed, "shots " + task).sample_sorted(std::ssize(samples), shots)) {
    picked.push_back(samples[static_cast<std::size_t>(index)]);
  }
  return picked;
}

}  // namespace

Dataset join_datasets(std::vector<Dataset> datasets) {
  CADENZA_REQUIRE(!datasets.empty(), ErrorCode::kInvalidArgument, "no dataset was given");
  const auto several = names_in_several(datasets);
  Dataset joined;
  for (auto& dataset : datasets) {
    for (const auto& task : several) {
      rename_task(dataset, task, folder_name(dataset.root) + "_" + task);
    }
    joined.layout += (joined.layout.empty() ? "" : "+") + dataset.layout;
    if (joined.root.empty()) joined.root = dataset.root;
    std::ranges::move(dataset.tasks, std::back_inserter(joined.tasks));
    std::ranges::move(dataset.samples, std::back_inserter(joined.samples));
    std::ranges::move(dataset.notes, std::back_inserter(joined.notes));
  }
  std::ranges::sort(joined.tasks);
  const auto twice = std::ranges::adjacent_find(joined.tasks);
  CADENZA_REQUIRE(twice == joined.tasks.end(), ErrorCode::kInvalidArgument, "task '",
                  twice == joined.tasks.end() ? "" : *twice,
                  "' comes from two datasets whose folders have the same name");
  return joined;
}

StreamData split_stream(const Dataset& dataset, std::span<const std::string> tasks,
                        std::int64_t shots, std::uint64_t seed) {
  StreamData data;
  for (const auto& task : tasks) {
    data.train.of_task[task];
    data.test.of_task[task];
  }
  for (const auto& sample : dataset.samples) {
    if (!data.test.of_task.contains(sample.task)) continue;
    if (sample.split == Split::kTest) data.test.of_task[sample.task].push_back(sample);
    if (sample.split == Split::kTrain && !sample.is_defect) {
      data.train.of_task[sample.task].push_back(sample);
    }
  }
  for (auto& [task, samples] : data.train.of_task) {
    CADENZA_REQUIRE(!samples.empty(), ErrorCode::kInvalidArgument, "task '", task,
                    "': no normal images to learn in ", dataset.root.string());
    samples = pick(samples, task, shots, seed);
  }
  return data;
}

}  // namespace cadenza
