#include "cadenza/cli/example_maps.h"

#include <filesystem>
#include <map>
#include <memory>

#include "cadenza/base/error.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/inspector/inspector.h"

namespace cadenza {

namespace {

class Models {
 public:
  explicit Models(const CommandContext& context)
      : options_{.environment = environment_of(context), .methods = &context.methods},
        progress_(context.progress) {}

  /// Null: it could not be opened, which was told.
  const Inspector* at(const std::filesystem::path& directory) {
    const auto known = opened_.find(directory);
    if (known != opened_.end()) return known->second.get();
    std::unique_ptr<Inspector> model;
    try {
      model = std::make_unique<Inspector>(Inspector::open(directory, options_));
    } catch (const Error& error) {
      progress_.warn(cat("examples without maps: ", error.what()));
    }
    return opened_.emplace(directory, std::move(model)).first->second.get();
  }

 private:
  InspectorOptions options_;
  Progress& progress_;
  std::map<std::filesystem::path, std::unique_ptr<Inspector>> opened_;
};

}  // namespace

MapSource example_maps(const CommandContext& context) {
  const auto models = std::make_shared<Models>(context);
  return [models](const SeedRecord& seed,
                  const PredictionRecord& prediction) -> std::optional<ExampleMap> {
    const auto* const model = models->at(seed.folder / "model");
    if (model == nullptr) return std::nullopt;
    // By the task it was judged by; a rejected image is routed again.
    auto verdict = model->predict(prediction.file, {.task = prediction.task});
    return ExampleMap{std::move(verdict.map), verdict.map_threshold};
  };
}

}  // namespace cadenza
