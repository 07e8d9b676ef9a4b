#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "cadenza/dataset/sample.h"

namespace cadenza {

/// Normals to learn from, by task. The only images that training can reach.
struct TrainImages {
  std::map<std::string, std::vector<Sample>> of_task;
};

/// Images with the truth about them, by task. The runner alone holds them.
struct TestImages {
  std::map<std::string, std::vector<Sample>> of_task;
};

struct StreamData {
  TrainImages train;
  TestImages test;
};

/// One dataset of several. Tasks of the same name in two of them are renamed to
/// "<name of the root folder>_<task>". Errors: kInvalidArgument: none given, or names that are the
/// same even so.
Dataset join_datasets(std::vector<Dataset> datasets);

/// The images of `tasks`. Training takes the normals of the train split; `shots` > 0 draws so many
/// of each task by `seed` and the task's name.
/// Errors   kInvalidArgument: a task without normals to learn, or with fewer than `shots`.
StreamData split_stream(const Dataset& dataset, std::span<const std::string> tasks,
                        std::int64_t shots, std::uint64_t seed);

}  // namespace cadenza
