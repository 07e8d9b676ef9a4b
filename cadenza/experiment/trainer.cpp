// What a step leaves in the run's folder, in this order, so that a stop at any instant loses at
// most the step it fell into:
//  1. steps/strategy-NNN.state   what the strategy keeps (a safetensors file)
//  2. steps/train-NNN.json       seconds, thresholds, bytes, notes
//  3. model/                      generation NNN + 1: the step counts from its commit on
#include "cadenza/experiment/trainer.h"

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/suggest.h"
#include "cadenza/inspector/hold_back.h"
#include "cadenza/inspector/model_directory.h"
#include "cadenza/inspector/state_file.h"

namespace cadenza {
namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(nullptr); }

std::optional<double> number(const Json& value) {
  return value.is_null() ? std::nullopt : std::optional(value.get<double>());
}

Json calibration_json(const TaskCalibration& calibration, const TaskRecord& record) {
  return {{"id", calibration.id},
          {"name", calibration.name},
          {"normal_scores", calibration.normal_scores},
          {"threshold", or_null(calibration.threshold)},
          {"reject_above", or_null(calibration.reject_above)},
          {"map_threshold", or_null(calibration.map_threshold)},
          {"certified", record.threshold.is_certified},
          {"images", record.n_images}};
}

}  // namespace

Trainer::Trainer(const ExperimentSettings& settings, const ExperimentParts& parts,
                 const TaskStream& stream, const TrainImages& images, std::uint64_t seed,
                 std::filesystem::path folder)
    : settings_(settings),
      parts_(parts),
      stream_(stream),
      images_(images),
      seed_(seed),
      folder_(std::move(folder)) {
  make_method();
  if (settings.strategy.empty()) return;
  const auto& entry = parts.strategies.find(settings.strategy);
  CADENZA_REQUIRE(method_->info().shares_parameters, ErrorCode::kUnsupported, "strategy '",
                  settings.strategy, "' acts on parameters that tasks share, and method '",
                  settings.method, "' trains none with these options");
  strategy_info_ = entry.info;
  const Options options(cat("strategy '", entry.name, "'"), entry.options,
                        settings.strategy_options);
  strategy_ = entry.make(options, seed);
}

void Trainer::make_method() {
  method_ = parts_.methods.make(settings_.method, settings_.options, parts_.environment);
}

TaskId Trainer::id_of(const std::string& task) const {
  return std::ranges::find(stream_.order, task) - stream_.order.begin();
}

std::filesystem::path Trainer::file(std::string_view kind, std::int64_t step) const {
  const auto number = cat(1000 + step).substr(1);
  return folder_ / "steps" / cat(kind, "-", number, kind == "strategy" ? ".state" : ".json");
}

std::vector<std::string> Trainer::seen_tasks(std::int64_t step) const {
  std::vector<std::string> seen;
  for (std::int64_t past = 0; past <= step; ++past) {
    const auto& tasks = stream_.steps[static_cast<std::size_t>(past)];
    seen.insert(seen.end(), tasks.begin(), tasks.end());
  }
  return seen;
}

std::vector<std::string> Trainer::tasks_of_training(std::int64_t step) const {
  if (strategy_info_.cumulative_data) return seen_tasks(step);
  return stream_.steps[static_cast<std::size_t>(step)];
}

std::pair<std::vector<Sample>, std::vector<Sample>> Trainer::split(const std::string& task) const {
  const auto& samples = images_.of_task.at(task);
  const bool holds_back = settings_.hold_back && !method_->info().calibrates;
  const auto places = holds_back ? hold_back(samples.size()) : learn_all(samples.size());
  std::pair<std::vector<Sample>, std::vector<Sample>> parts;
  for (const auto place : places.learned) parts.first.push_back(samples[place]);
  for (const auto place : places.held_back) parts.second.push_back(samples[place]);
  return parts;
}

std::unique_ptr<TaskData> Trainer::learn(std::int64_t step, const ChooseEpoch& choose_epoch,
                                         std::stop_token stop, Progress& progress) {
  if (strategy_info_.fresh_model_each_step) make_method();
  std::vector<TaskRef> tasks;
  std::vector<Sample> samples;
  for (const auto& task : tasks_of_training(step)) {
    tasks.push_back({.id = id_of(task), .name = task});
    const auto learned = split(task).first;
    samples.insert(samples.end(), learned.begin(), learned.end());
  }
  auto data = parts_.open_training(std::move(tasks), std::move(samples), method_->info().input);
  std::optional<MethodState> best;
  TrainContext context{.seed = seed_,
                       .stop = stop,
                       .strategy = strategy_.get(),
                       .frozen = strategy_info_.frozen && step > 0,
                       .progress = &progress,
                       .after_epoch = nullptr};
  if (choose_epoch) {
    context.after_epoch = [&](std::int64_t epoch, const Method& method) {
      const auto choice = choose_epoch(epoch, method);
      if (choice != EpochChoice::kPass) best = method.save();
      return choice != EpochChoice::kKeepAndStop;
    };
  }
  method_->train_task(*data, context);
  if (!best) return data;
  make_method();
  method_->load(*best);
  return data;
}

std::optional<Calibration> Trainer::score_normals(const TaskRef& task,
                                                  const std::vector<Sample>& samples) const {
  if (samples.empty()) return std::nullopt;
  const std::vector<TaskCalibration> known = {{.id = task.id, .name = task.name}};
  Calibration calibration;
  for (const auto& sample : samples) {
    const auto name = sample.file.string();
    const auto verdict = parts_.score_image(*method_, known, read_file(sample.file), name,
                                            {.task = task.id, .makes_map = true});
    add_held_back(calibration, verdict);
  }
  return calibration;
}

void Trainer::set_threshold(const TaskRef& task, const std::optional<Calibration>& calibration,
                            const TaskData& data, std::int64_t n_images) {
  const auto source =
      method_->info().calibrates ? ThresholdSource::kLeftOut : ThresholdSource::kHeldBack;
  TaskRecord record{.id = task.id, .name = task.name, .n_images = n_images};
  record.learned = utc_timestamp();
  record.threshold =
      parts_.make_threshold(calibration ? &*calibration : nullptr, settings_.target_fpr, source);
  TaskCalibration known{.id = task.id, .name = task.name};
  known.threshold = record.threshold.value;
  if (calibration) {
    known.normal_scores = calibration->scores;
    record.reject_above = known.reject_above = calibration->reject_above;
    record.map_threshold = calibration->map_threshold;
  }
  const bool is_learned_now =
      std::ranges::find(data.tasks(), task.id, &TaskRef::id) != data.tasks().end();
  if (!record.map_threshold && is_learned_now) {
    record.map_threshold = largest_map_value(*method_, task.id, data);
  }
  if (!record.map_threshold) record.map_threshold = records_[task.id].map_threshold;
  known.map_threshold = record.map_threshold;
  records_[task.id] = std::move(record);
  const auto found = std::ranges::find(calibrations_, task.id, &TaskCalibration::id);
  if (found == calibrations_.end()) {
    calibrations_.push_back(std::move(known));
  } else {
    *found = std::move(known);
  }
}

void Trainer::train_step(std::int64_t step, const ChooseEpoch& choose_epoch, std::stop_token stop,
                         Progress& progress) {
  const auto start = std::chrono::steady_clock::now();
  const auto data = learn(step, choose_epoch, stop, progress);
  const std::chrono::duration<double> seconds = std::chrono::steady_clock::now() - start;
  record_ = {{"step", step}, {"seconds", seconds.count()}, {"notes", Json::array()}};

  const bool calibrates = method_->info().calibrates;
  const auto trained = tasks_of_training(step);
  // A method that calibrates itself may say something new of earlier tasks, too.
  for (const auto& name : calibrates ? seen_tasks(step) : trained) {
    const TaskRef task{.id = id_of(name), .name = name};
    const auto [learned, held_back] = split(name);
    const auto calibration =
        calibrates ? method_->calibration(task.id) : score_normals(task, held_back);
    if (!calibrates && calibration) held_back_[task.id] = *calibration;
    set_threshold(task, calibration, *data, std::ssize(learned));
    if (!calibration) {
      record_["notes"].push_back(cat(name, ": no threshold: method '", settings_.method,
                                     "' does not calibrate itself and no normals were held back"));
    }
  }
  std::filesystem::create_directories(folder_ / "steps");
  if (strategy_) write_file_atomic(file("strategy", step), write_state_file(strategy_->save()));
  commit(step);
}

void Trainer::commit(std::int64_t step) {
  const ModelDirectory directory(folder_ / "model");
  ModelWriter writer(directory);
  Manifest manifest;
  if (writer.manifest()) manifest = *writer.manifest();
  manifest.method = settings_.method;
  manifest.state_version = method_->info().state_version;
  manifest.options = Options(cat("method '", settings_.method, "'"),
                             parts_.methods.find(settings_.method).options, settings_.options)
                         .texts();
  manifest.network = method_->info().network;
  manifest.fingerprint = method_->info().fingerprint;
  manifest.next_task_id = std::ssize(stream_.order);

  auto state = method_->save();
  const auto learned = stream_.steps[static_cast<std::size_t>(step)];
  Generation generation{.number = manifest.next_generation++, .written = utc_timestamp()};
  generation.change = cat("step ", step, ": ", join(learned));
  generation.shared = writer.put(state.shared);
  auto bytes = Json::array();
  auto total = generation.shared.n_bytes;
  for (auto& calibration : calibrations_) {
    auto& record = records_.at(calibration.id);
    StatePiece& piece = state.tasks[calibration.id];
    if (const auto found = held_back_.find(calibration.id); found != held_back_.end()) {
      put_held_back(found->second, piece);
    }
    record.state = writer.put(piece);
    bytes.push_back(record.state.n_bytes);
    total += record.state.n_bytes;
    generation.tasks.push_back(record);
  }
  // A run keeps no images beside its banks.
  record_["bytes"] = {{"state_per_task", bytes},
                      {"archive_per_task", std::vector<int>(bytes.size(), 0)},
                      {"state_total", total}};
  record_["calibrations"] = Json::array();
  for (const auto& calibration : calibrations_) {
    record_["calibrations"].push_back(calibration_json(calibration, records_.at(calibration.id)));
  }
  write_file_atomic(file("train", step), record_.dump(1));
  manifest.history.push_back(std::move(generation));
  writer.commit(manifest);
}

bool Trainer::has_step(std::int64_t step) const {
  const ModelDirectory directory(folder_ / "model");
  return directory.exists() && std::ssize(directory.read_manifest().history) > step;
}

void Trainer::restore(std::int64_t step) {
  const ModelDirectory directory(folder_ / "model");
  const auto manifest = directory.read_manifest();
  const auto& generation = manifest.history.at(static_cast<std::size_t>(step));
  make_method();
  CADENZA_REQUIRE(method_->info().fingerprint == manifest.fingerprint, ErrorCode::kUnsupported,
                  directory.path().string(), ": was learned with ", manifest.fingerprint,
                  ", but this machine computes with ", method_->info().fingerprint,
                  "; start the run anew in another folder");
  auto state = directory.read_state(generation);
  held_back_.clear();
  for (auto& [id, piece] : state.tasks) {
    if (auto scores = take_held_back(piece)) held_back_[id] = std::move(*scores);
  }
  method_->load(state);
  const auto path = file("train", step);
  record_ = read_json(path);
  calibrations_.clear();
  records_.clear();
  for (const auto& known : json_member(record_, "calibrations", path.string())) {
    calibrations_.push_back({.id = known.at("id"),
                             .name = known.at("name"),
                             .normal_scores = known.at("normal_scores"),
                             .threshold = number(known.at("threshold")),
                             .reject_above = number(known.at("reject_above")),
                             .map_threshold = number(known.at("map_threshold"))});
  }
  for (const auto& record : generation.tasks) records_[record.id] = record;
  if (strategy_) {
    const auto kept = file("strategy", step);
    strategy_->load(read_state_file(read_file(kept), kept.string()));
  }
}

}  // namespace cadenza
