#include "cadenza/experiment/runner.h"

#include <algorithm>
#include <array>
#include <functional>
#include <map>
#include <span>
#include <string_view>
#include <utility>
#include <vector>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/experiment/evaluation.h"
#include "cadenza/experiment/machine.h"
#include "cadenza/experiment/paper_epochs.h"
#include "cadenza/experiment/protocol.h"
#include "cadenza/experiment/results.h"
#include "cadenza/experiment/run_progress.h"
#include "cadenza/experiment/stream_data.h"
#include "cadenza/experiment/trainer.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

/// Images of a step, the same for every seed.
struct StepWork {
  RunWork learning, judging;
};

/// Those learned up to `step`; with zero_shot all.
std::vector<std::string> tested_tasks(const ExperimentSettings& settings, const TaskStream& stream,
                                      std::int64_t step) {
  if (settings.zero_shot) return stream.order;
  std::vector<std::string> tasks;
  for (std::size_t past = 0; past <= static_cast<std::size_t>(step); ++past) {
    tasks.insert(tasks.end(), stream.steps[past].begin(), stream.steps[past].end());
  }
  return tasks;
}

std::vector<StepWork> plan_work(const ExperimentSettings& settings, const TaskStream& stream,
                                const Dataset& dataset) {
  std::map<std::string, std::int64_t> n_learned, n_judged;
  for (const auto& sample : dataset.samples) {
    n_learned[sample.task] += sample.split == Split::kTrain && !sample.is_defect;
    n_judged[sample.task] += sample.split == Split::kTest;
  }
  std::vector<StepWork> plan;
  for (std::int64_t step = 0; step < std::ssize(stream.steps); ++step) {
    auto& work = plan.emplace_back();
    for (const auto& task : stream.steps[static_cast<std::size_t>(step)]) {
      work.learning.n_learned += settings.shots > 0 ? settings.shots : n_learned[task];
    }
    for (const auto& task : tested_tasks(settings, stream, step)) {
      work.judging.n_judged += n_judged[task];
    }
  }
  return plan;
}

/// One seed of a run.
class SeedRun {
 public:
  SeedRun(const ExperimentSettings& settings, const ExperimentParts& parts,
          const TaskStream& stream, const Dataset& dataset, std::uint64_t seed, fs::path folder,
          const RunControl& control, std::span<const StepWork> work, RunProgress& progress)
      : settings_(settings),
        parts_(parts),
        stream_(stream),
        data_(split_stream(dataset, stream.order, settings.shots, seed)),
        seed_(seed),
        folder_(std::move(folder)),
        control_(control),
        evaluator_(settings, parts, data_.test),
        trainer_(settings, parts, stream, data_.train, seed, folder_),
        work_(work),
        progress_(progress) {}

  /// results.json of this seed, which it writes unless it is there.
  Json run() {
    const auto results_file = folder_ / "results.json";
    if (fs::exists(results_file) && !control_.evaluate_only) {
      for (const auto& step : work_) progress_.skip(step.learning), progress_.skip(step.judging);
      return read_json(results_file);
    }
    fs::create_directories(folder_ / "steps");
    std::vector<Json> training, evaluations;
    std::int64_t at_step = -1;  // where the trainer stands
    for (std::int64_t step = 0; step < std::ssize(stream_.steps); ++step) {
      const auto file = evaluation_file(step);
      const bool is_learned = trainer_.has_step(step);
      if (is_learned) progress_.skip(work_of(step).learning);
      if (is_learned && fs::exists(file) && !control_.evaluate_only) {
        progress_.skip(work_of(step).judging);
        training.push_back(read_json(training_file(step)));
        evaluations.push_back(read_json(file));
        continue;
      }
      if (!is_learned) {
        CADENZA_REQUIRE(!control_.evaluate_only, ErrorCode::kNotFound, folder_.string(), ": step ",
                        step, " was never learned; run without --evaluate-only first");
        if (step > 0 && at_step != step - 1) trainer_.restore(step - 1);
        progress_.enter(place_of(step), work_of(step).learning);
        train(step);
        progress_.done();
      } else {
        trainer_.restore(step);
      }
      at_step = step;
      training.push_back(trainer_.record());
      progress_.enter(place_of(step), work_of(step).judging);
      evaluations.push_back(evaluate(step));
      progress_.done();
    }
    if (at_step + 1 != std::ssize(stream_.steps)) trainer_.restore(std::ssize(stream_.steps) - 1);
    const auto results =
        make_results(settings_, stream_, seed_, training, evaluations, facts(evaluations.back()));
    write_file_atomic(results_file, results.dump(1) + "\n");
    return results;
  }

 private:
  std::string place_of(std::int64_t step) const {
    const auto place = cat("step ", step + 1, " of ", stream_.steps.size());
    return settings_.seeds.size() == 1 ? place : cat("seed ", seed_, ", ", place);
  }

  const StepWork& work_of(std::int64_t step) const { return work_[static_cast<std::size_t>(step)]; }

  fs::path evaluation_file(std::int64_t step) const {
    return folder_ / "steps" / cat("evaluation-", cat(1000 + step).substr(1), ".json");
  }
  fs::path ensemble_file(std::int64_t step) const {
    return folder_ / "steps" / cat("ensemble-", cat(1000 + step).substr(1), ".json");
  }
  fs::path training_file(std::int64_t step) const {
    return folder_ / "steps" / cat("train-", cat(1000 + step).substr(1), ".json");
  }

  void train(std::int64_t step) {
    if (settings_.mode == RunMode::kHonest) {
      trainer_.train_step(step, nullptr, control_.stop, progress_);
      return;
    }
    // As the authors do: the epoch that is best on the step's own test images.
    const auto& tasks = stream_.steps[static_cast<std::size_t>(step)];
    std::vector<TaskCalibration> calibrations(trainer_.calibrations().begin(),
                                              trainer_.calibrations().end());
    for (const auto& task : tasks) {
      const auto id = std::ranges::find(stream_.order, task) - stream_.order.begin();
      calibrations.push_back({.id = id, .name = task});
    }
    if (trainer_.method().info().joins_epochs) {
      PaperEpochs choose(evaluator_, settings_, parts_, data_.test, tasks, std::move(calibrations),
                         ensemble_file(step));
      trainer_.train_step(step, std::ref(choose), control_.stop, progress_);
      return;
    }
    std::optional<double> best;
    const auto choose = [&](std::int64_t, const Method& method) {
      const auto value = evaluator_.mean_metric(method, calibrations, tasks, "image_AUROC");
      if (best && value <= *best) return EpochChoice::kPass;
      best = value;
      return EpochChoice::kKeep;
    };
    trainer_.train_step(step, choose, control_.stop, progress_);
  }

  /// What paper mode reports of epochs joined; null where it joined none.
  Json epoch_ensemble() const {
    std::vector<Json> files;
    for (std::int64_t step = 0; step < std::ssize(stream_.steps); ++step) {
      const auto file = ensemble_file(step);
      files.push_back(settings_.mode == RunMode::kPaper && fs::exists(file) ? read_json(file)
                                                                            : Json(nullptr));
    }
    return epoch_ensemble_json(files, stream_.order);
  }

  Json evaluate(std::int64_t step) {
    const auto tasks = tested_tasks(settings_, stream_, step);
    Evaluator::Show show;
    if (parts_.show && step + 1 == std::ssize(stream_.steps)) {
      show = [&](const Sample& sample, std::span<const std::byte> bytes, Verdict& verdict) {
        return parts_.show(folder_, sample, bytes, verdict);
      };
    }
    auto evaluation = evaluator_.evaluate(trainer_.method(), trainer_.calibrations(), tasks, show,
                                          control_.stop, progress_);
    write_file_atomic(folder_ / "predictions.jsonl", evaluation.predictions);
    write_file_atomic(evaluation_file(step), evaluation.summary.dump(1));
    return evaluation.summary;
  }

  /// The learned tasks judged with the larger memory beside `kept`; null: the method has none.
  Json gap_to_larger_memory(const Json& kept) const {
    const auto larger = parts_.with_larger_memory ? parts_.with_larger_memory(trainer_.method())
                                                  : trainer_.method().with_larger_memory();
    if (!larger) return nullptr;
    const auto judged = evaluator_.evaluate(*larger, trainer_.calibrations(), stream_.order, {},
                                            control_.stop, no_progress());
    return memory_gap(judged.summary, kept);
  }

  Json facts(const Json& last_evaluation) const {
    const auto& info = trainer_.method().info();
    const auto peak = peak_resident_bytes();
    const Options options("method", parts_.methods.find(settings_.method).options,
                          settings_.options);
    Json facts = {{"options", options.texts()},
                  {"network", describe_network(info)},
                  {"known_task", tells_task(settings_, info)},
                  {"peak_rss", peak ? Json(*peak) : Json(nullptr)},
                  {"environment", describe_machine(parts_.environment.n_threads)}};
    const auto gap = gap_to_larger_memory(last_evaluation);
    if (!gap.is_null()) facts["memory_gap"] = gap;
    auto joined = epoch_ensemble();
    if (!joined.is_null()) facts["epoch_ensemble"] = std::move(joined);
    return facts;
  }

  const ExperimentSettings& settings_;
  const ExperimentParts& parts_;
  const TaskStream& stream_;
  StreamData data_;
  std::uint64_t seed_;
  fs::path folder_;
  const RunControl& control_;
  Evaluator evaluator_;
  Trainer trainer_;
  std::span<const StepWork> work_;
  RunProgress& progress_;
};

/// Members of config.resolved.json that training does not depend on.
constexpr std::array<std::string_view, 3> kOfEvaluation = {"known_task", "pixel_size", "zero_shot"};

/// Which images the run is made of, wherever they lie.
std::string digest_of(const Dataset& dataset) {
  std::string listing;
  for (const auto& sample : dataset.samples) {
    listing += cat(sample.file.lexically_relative(dataset.root).string(), '\t', sample.task, '\t',
                   static_cast<int>(sample.split), '\t', sample.is_defect, '\t',
                   sample.masks.size(), '\n');
  }
  return "sha256:" + sha256_hex(listing);
}

/// What config.resolved.json holds of a run.
Json config_of(const ExperimentSettings& settings, const Dataset& dataset) {
  auto config = to_json(settings);
  config["data"] = {{"layout", dataset.layout}, {"digest", digest_of(dataset)}};
  return config;
}

/// Refuses a folder that holds a run with other settings or images. The seeds may differ: they can
/// be added; and what is evaluated anew may be evaluated otherwise.
void require_same_run(const fs::path& folder, const fs::path& file, const Json& wanted,
                      bool evaluate_only) {
  if (!fs::exists(file)) return;
  const auto found = read_json(file);
  for (const auto& [key, value] : wanted.items()) {
    const bool may_differ =
        key == "seeds" ||
        (evaluate_only && std::ranges::find(kOfEvaluation, key) != kOfEvaluation.end());
    if (may_differ) continue;
    CADENZA_REQUIRE(found.contains(key) && found.at(key) == value, ErrorCode::kInvalidArgument,
                    folder.string(), ": holds a run with ", key, " = ",
                    found.contains(key) ? found.at(key).dump() : "nothing", ", not ", value.dump(),
                    "; name another folder, or remove this one");
  }
}

void require_settings(const ExperimentSettings& settings) {
  CADENZA_REQUIRE(!settings.seeds.empty(), ErrorCode::kInvalidArgument, "no seed was given");
  CADENZA_REQUIRE(settings.target_fpr > 0 && settings.target_fpr <= 0.5,
                  ErrorCode::kInvalidArgument, "target_fpr ", settings.target_fpr,
                  " is outside (0, 0.5]");
  CADENZA_REQUIRE(settings.shots >= 0 && settings.pixel_size >= 0, ErrorCode::kInvalidArgument,
                  "shots and pixel_size must not be negative");
}

}  // namespace

Json run_experiment(const ExperimentSettings& settings, const Dataset& dataset,
                    const ExperimentParts& parts, const fs::path& folder,
                    const RunControl& control) {
  require_settings(settings);
  const auto order = settings.order.empty() ? std::nullopt : std::optional(settings.order);
  const auto stream = make_stream(settings.protocol, dataset.tasks, order);
  fs::create_directories(folder);
  const auto lock = FileLock::try_acquire(folder / "lock");
  CADENZA_REQUIRE(lock.has_value(), ErrorCode::kIo, folder.string(),
                  ": another process runs there; wait for it or name another folder");
  const auto config_file = folder / "config.resolved.json";
  const auto config = config_of(settings, dataset);
  require_same_run(folder, config_file, config, control.evaluate_only);

  const auto work = plan_work(settings, stream, dataset);
  RunWork all;
  for (const auto& step : work) {
    all.n_learned += step.learning.n_learned * std::ssize(settings.seeds);
    all.n_judged += step.judging.n_judged * std::ssize(settings.seeds);
  }
  RunProgress progress(*control.progress, all);
  std::vector<Json> results;
  for (const auto seed : settings.seeds) {
    SeedRun run(settings, parts, stream, dataset, seed, folder / cat("seed-", seed), control, work,
                progress);
    // The folder is this run's from here on: options, strategy and images were accepted.
    write_file_atomic(config_file, config.dump(1) + "\n");
    results.push_back(run.run());
  }
  const auto summary = make_summary(results);
  write_file_atomic(folder / "results.csv", results_csv(results));
  write_file_atomic(folder / "matrix.csv", matrix_csv(results));
  write_file_atomic(folder / "summary.json", summary.dump(1) + "\n");
  return summary;
}

}  // namespace cadenza
