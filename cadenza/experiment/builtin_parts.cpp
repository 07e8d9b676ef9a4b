#include "cadenza/experiment/builtin_parts.h"

#include <utility>

#include "cadenza/dataset/image_task_data.h"
#include "cadenza/experiment/metric_meter.h"
#include "cadenza/inspector/threshold.h"
#include "cadenza/structure/region_source/region_source.h"

namespace cadenza {

ExperimentParts builtin_parts(const NetworkEnvironment& environment,
                              const std::filesystem::path& masks) {
  ExperimentParts parts;
  parts.methods = builtin_methods();
  parts.strategies = builtin_strategies();
  parts.environment = environment;
  parts.open_training = [environment, masks](std::vector<TaskRef> tasks,
                                             std::vector<Sample> samples, const InputSpec& input) {
    auto regions = make_region_source(input, masks, environment, *environment.progress);
    return open_training(std::move(tasks), std::move(samples), input,
                         {.regions = std::move(regions)});
  };
  parts.score_image = score_image;
  parts.make_threshold = make_threshold;
  parts.make_meter = make_metric_meter;
  return parts;
}

}  // namespace cadenza
