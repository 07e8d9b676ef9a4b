#include "cadenza/inspector/inspector.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <utility>

#include "cadenza/base/clock.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/dataset/image_task_data.h"
#include "cadenza/image/decode.h"
#include "cadenza/inspector/edit.h"
#include "cadenza/inspector/hold_back.h"
#include "cadenza/inspector/model_directory.h"
#include "cadenza/inspector/normals.h"
#include "cadenza/inspector/score_image.h"
#include "cadenza/inspector/threshold.h"
#include "cadenza/memory/conformal.h"
#include "cadenza/method/registry.h"
#include "cadenza/structure/region_source/region_source.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

constexpr const char* kDefaultMethod = "routed_memory";

std::vector<std::byte> read_image_file(const fs::path& file) {
  return read_file(file, DecodeOptions{}.limit_bytes);
}

std::vector<Sample> samples_of(const std::string& task, const std::vector<fs::path>& files,
                               const std::vector<std::size_t>& places) {
  std::vector<Sample> samples;
  for (const auto place : places) samples.push_back({.file = files[place], .task = task});
  return samples;
}

/// What a person should know of a threshold that is missing or an estimate.
void note_threshold(const ThresholdRecord& threshold, std::vector<std::string>& notes) {
  if (!threshold.value) {
    notes.push_back(cat("no threshold: ", threshold.n_normals,
                        " normals were scored without being learned, at least ", kLeastForThreshold,
                        " are needed; verdicts are unknown, scores can only rank"));
  } else if (!threshold.is_certified) {
    notes.push_back(cat("the threshold is an estimate: ", threshold.n_normals,
                        " normals cannot certify a false alarm rate of ", threshold.target_fpr,
                        ", ", std::ceil(1 / threshold.target_fpr - 1 - 1e-9), " can"));
  }
}

}  // namespace

struct Inspector::Impl {
  Impl(const fs::path& path, const InspectorOptions& given)
      : directory(path),
        options(given),
        methods(given.methods == nullptr ? builtin_methods() : *given.methods) {}

  ModelDirectory directory;
  InspectorOptions options;
  MethodRegistry methods;
  std::string method_name;  // what `method` is made of
  OptionTexts method_options;
  std::optional<Manifest> manifest;
  std::unique_ptr<Method> method;
  std::map<TaskId, Calibration> held_back;
  std::vector<TaskCalibration> tasks;

  void make_method(const std::string& name, const OptionTexts& texts) {
    method.reset();
    method = methods.make(name, texts, options.environment);
    method_name = name;
    method_options = Options(cat("method '", name, "'"), methods.find(name).options, texts).texts();
  }

  const Method& loaded() const {
    CADENZA_REQUIRE(method != nullptr, ErrorCode::kIo, directory.path().string(),
                    ": the model could not be read again after a failed change; refresh() it");
    return *method;
  }

  /// Brings the object to the directory's current generation.
  void load() {
    auto [found, state] = directory.read();
    const bool is_same_method = method != nullptr && manifest && method_name == found.method &&
                                method_options == found.options;
    if (!is_same_method) make_method(found.method, found.options);
    require_usable(found);
    held_back.clear();
    for (auto& [id, piece] : state.tasks) {
      if (auto scores = take_held_back(piece)) held_back[id] = std::move(*scores);
    }
    try {
      method->load(state);
    } catch (const Error& error) {
      method.reset();
      throw error.with_context(directory.path().string());
    }
    manifest = std::move(found);
    gather_tasks();
  }

  void require_usable(const Manifest& found) const {
    const auto& info = method->info();
    const auto where = directory.path().string();
    CADENZA_REQUIRE(found.state_version == info.state_version, ErrorCode::kUnsupported, where,
                    ": state version ", found.state_version, " of method '", found.method,
                    "', this program reads ", info.state_version,
                    found.state_version > info.state_version
                        ? "; install the version of Cadenza that wrote it"
                        : "; train the model anew");
    CADENZA_REQUIRE(found.fingerprint == info.fingerprint, ErrorCode::kUnsupported, where,
                    ": was trained with ", found.fingerprint, ", here images would be seen by ",
                    info.fingerprint,
                    "; the two must not be mixed. Use the weights, precision and version it was "
                    "trained with, or train it anew here (with --set precision=f32, where the "
                    "method has that option, a model opens on every machine)");
  }

  /// Scores of normals that the method, or the piece of the task, keeps.
  std::optional<Calibration> calibration(TaskId id) const {
    if (method->info().calibrates) return method->calibration(id);
    const auto found = held_back.find(id);
    return found == held_back.end() ? std::nullopt : std::optional(found->second);
  }

  void gather_tasks() {
    tasks.clear();
    for (const auto& record : manifest->current().tasks) {
      TaskCalibration task{.id = record.id, .name = record.name};
      if (auto known = calibration(record.id)) task.normal_scores = std::move(known->scores);
      task.threshold = record.threshold.value;
      task.reject_above = record.reject_above;
      task.map_threshold = record.map_threshold;
      tasks.push_back(std::move(task));
    }
  }

  /// After a failed change the method is as undefined as what it was learning.
  void recover() noexcept {
    try {
      if (manifest) {
        load();
      } else {
        make_method(std::string(method_name), OptionTexts(method_options));
      }
    } catch (const std::exception&) {
      method.reset();
      tasks.clear();
    }
  }

  /// Learns, then writes the generation. The directory is unchanged until the last line.
  TrainReport train(const TrainRequest& request, ModelWriter& writer) {
    Normals normals = gather_normals(request.normal);
    const auto& info = method->info();
    const auto n_normals = normals.files.size();
    const HoldBack split = info.calibrates ? learn_all(n_normals) : hold_back(n_normals);
    CADENZA_REQUIRE(std::ssize(split.learned) >= info.min_images, ErrorCode::kInvalidArgument,
                    "task '", request.task, "': ", split.learned.size(),
                    " different normal images to learn, method '", info.name, "' needs at least ",
                    info.min_images);

    const TaskRef task{.id = manifest ? manifest->next_task_id : 0, .name = request.task};
    const auto data =
        open_training({task}, samples_of(task.name, normals.files, split.learned), info.input,
                      {.regions = make_region_source(info.input, request.masks, options.environment,
                                                     *request.progress)});
    method->train_task(*data,
                       {.seed = request.seed, .stop = request.stop, .progress = request.progress});

    TrainReport report{.task = {}, .generation = 0, .held_back = {}, .notes = normals.notes};
    std::optional<Calibration> known;
    if (info.calibrates) {
      known = method->calibration(task.id);
    } else if (!split.held_back.empty()) {
      known = score_held_back(task, normals.files, split.held_back, request);
      held_back[task.id] = *known;
      for (const auto place : split.held_back) {
        report.held_back.push_back(normals.files[place].string());
      }
    }
    TaskRecord& record = report.task;
    record.id = task.id;
    record.name = task.name;
    record.n_images = std::ssize(split.learned);
    record.learned = utc_timestamp();
    apply(known ? &*known : nullptr, request.target_fpr, record);
    if (!record.map_threshold) record.map_threshold = largest_map_value(*method, task.id, *data);
    if (normals.files.size() == 1) {
      report.notes.push_back("one normal image only: how good parts differ cannot be learned");
    }
    note_threshold(record.threshold, report.notes);

    Manifest next = next_manifest();
    add_generation(next, record);
    store(next, writer);
    report.task = next.current().tasks.back();
    report.generation = next.current().number;
    CADENZA_REQUIRE(!request.stop.stop_requested(), ErrorCode::kCancelled, "task '", request.task,
                    "': stopped; the model is as it was");
    writer.commit(next);
    manifest = std::move(next);
    gather_tasks();
    return report;
  }

  Calibration score_held_back(const TaskRef& task, const std::vector<fs::path>& files,
                              const std::vector<std::size_t>& places,
                              const TrainRequest& request) const {
    request.progress->begin(cat(task.name, ": held-back normals"), std::ssize(places));
    const std::vector<TaskCalibration> own = {{.id = task.id, .name = task.name}};
    Calibration calibration;
    for (const auto place : places) {
      CADENZA_REQUIRE(!request.stop.stop_requested(), ErrorCode::kCancelled, "task '", task.name,
                      "': stopped; the model is as it was");
      add_held_back(calibration, score_image(*method, own, read_image_file(files[place]),
                                             files[place].string(), {.task = task.id}));
      request.progress->advance(1);
    }
    request.progress->end();
    return calibration;
  }

  /// What `known` says of a task, into its record; a threshold set by hand stays.
  void apply(const Calibration* known, double target_fpr, TaskRecord& record) const {
    const auto source =
        method->info().calibrates ? ThresholdSource::kLeftOut : ThresholdSource::kHeldBack;
    const bool is_manual = record.threshold.source == ThresholdSource::kManual;
    if (!is_manual) record.threshold = make_threshold(known, target_fpr, source);
    if (known == nullptr) return;
    record.reject_above = known->reject_above;
    if (known->map_threshold) record.map_threshold = known->map_threshold;
  }

  Manifest next_manifest() const {
    Manifest next;
    if (manifest) next = *manifest;
    next.method = method_name;
    next.state_version = method->info().state_version;
    next.options = method_options;
    next.network = method->info().network;
    next.fingerprint = method->info().fingerprint;
    return next;
  }

  void add_generation(Manifest& next, const TaskRecord& learned) const {
    Generation generation;
    if (!next.history.empty()) generation.tasks = next.current().tasks;
    // Common parameters have moved: what left-out normals of earlier tasks score has, too.
    const bool moves_others = method->info().calibrates && !method->info().isolates_tasks;
    for (auto& earlier : generation.tasks) {
      if (!moves_others) break;
      const auto known = method->calibration(earlier.id);
      apply(known ? &*known : nullptr, earlier.threshold.target_fpr, earlier);
    }
    generation.tasks.push_back(learned);
    generation.number = next.next_generation++;
    generation.written = utc_timestamp();
    generation.change = cat("train ", learned.name);
    next.next_task_id = std::max(next.next_task_id, learned.id + 1);
    next.history.push_back(std::move(generation));
  }

  /// Writes the method's pieces and names them in the last generation of `next`.
  void store(Manifest& next, ModelWriter& writer) const {
    MethodState state = method->save();
    Generation& generation = next.history.back();
    generation.shared = writer.put(state.shared);
    for (auto& record : generation.tasks) {
      StatePiece& piece = state.tasks[record.id];
      if (const auto found = held_back.find(record.id); found != held_back.end()) {
        put_held_back(found->second, piece);
      }
      record.state = writer.put(piece);
    }
  }
};

Inspector::Inspector(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Inspector::Inspector(Inspector&&) noexcept = default;
Inspector& Inspector::operator=(Inspector&&) noexcept = default;
Inspector::~Inspector() = default;

Inspector Inspector::open(const fs::path& directory, const InspectorOptions& options) {
  auto impl = std::make_unique<Impl>(directory, options);
  impl->load();
  return Inspector(std::move(impl));
}

Inspector Inspector::create(const fs::path& directory, const ModelSettings& settings,
                            const InspectorOptions& options) {
  auto impl = std::make_unique<Impl>(directory, options);
  CADENZA_REQUIRE(!impl->directory.exists(), ErrorCode::kInvalidArgument, directory.string(),
                  ": there is a model already; open it, or name another folder");
  impl->make_method(settings.method.empty() ? kDefaultMethod : settings.method, settings.options);
  return Inspector(std::move(impl));
}

Inspector Inspector::open_or_create(const fs::path& directory, const ModelSettings& settings,
                                    const InspectorOptions& options) {
  auto impl = std::make_unique<Impl>(directory, options);
  if (!impl->directory.exists()) return create(directory, settings, options);
  const Manifest manifest = impl->directory.read_manifest();
  CADENZA_REQUIRE(settings.method.empty() || settings.method == manifest.method,
                  ErrorCode::kInvalidArgument, directory.string(), ": was made with method '",
                  manifest.method, "', not '", settings.method,
                  "'; a model keeps its method, name another folder");
  const Options wanted(cat("method '", manifest.method, "'"),
                       impl->methods.find(manifest.method).options, settings.options);
  for (const auto& [name, value] : settings.options) {
    const auto found = manifest.options.find(name);
    CADENZA_REQUIRE(found != manifest.options.end() && found->second == wanted.texts().at(name),
                    ErrorCode::kInvalidArgument, directory.string(), ": was made with ", name, "=",
                    found == manifest.options.end() ? "(nothing)" : found->second, ", not ", value,
                    "; a model keeps its options, name another folder");
  }
  impl->load();
  return Inspector(std::move(impl));
}

const fs::path& Inspector::directory() const noexcept { return impl_->directory.path(); }
const std::optional<Manifest>& Inspector::manifest() const noexcept { return impl_->manifest; }
const Method& Inspector::method() const { return impl_->loaded(); }
std::span<const TaskCalibration> Inspector::calibrations() const noexcept { return impl_->tasks; }

std::span<const TaskRecord> Inspector::tasks() const noexcept {
  if (!impl_->manifest) return {};
  return impl_->manifest->current().tasks;
}

TrainReport Inspector::train(const TrainRequest& request) {
  require_task_name(request.task);
  require_target_fpr(request.target_fpr);
  ModelWriter writer(impl_->directory);
  CADENZA_REQUIRE(!writer.manifest() || impl_->manifest, ErrorCode::kInvalidArgument,
                  directory().string(), ": another process has made a model there; open it");
  // Another process may have changed the model since it was opened.
  const bool is_behind =
      writer.manifest() && (impl_->method == nullptr ||
                            write_manifest(*writer.manifest()) != write_manifest(*manifest()));
  if (is_behind) impl_->load();
  for (const auto& known : tasks()) {
    CADENZA_REQUIRE(known.name != request.task, ErrorCode::kInvalidArgument, "task '", request.task,
                    "': the name is taken in ", directory().string(),
                    "; choose another one, or `cadenza task undo` takes the last change back");
  }
  impl_->loaded();
  try {
    return impl_->train(request, writer);
  } catch (...) {
    impl_->recover();
    throw;
  }
}

Verdict Inspector::predict(const fs::path& image, const PredictOptions& options) const {
  return predict(read_image_file(image), image.string(), options);
}

Verdict Inspector::predict(std::span<const std::byte> image_file, std::string_view name,
                           const PredictOptions& options) const {
  ScoreImageOptions how{.makes_map = options.makes_map};
  if (options.task) {
    CADENZA_REQUIRE(impl_->manifest.has_value(), ErrorCode::kNotFound, "task '", *options.task,
                    "': the model knows no task yet");
    how.task = find_task(impl_->manifest->current(), *options.task).id;
  }
  return score_image(impl_->loaded(), impl_->tasks, image_file, name, how);
}

void Inspector::set_target_fpr(std::string_view task, double target_fpr) {
  require_target_fpr(target_fpr);
  refresh();
  edit_task(impl_->directory, task, cat("target of ", task), [&](TaskRecord& record) {
    const auto known = impl_->calibration(record.id);
    record.threshold.source = ThresholdSource::kLeftOut;  // no longer manual
    impl_->apply(known ? &*known : nullptr, target_fpr, record);
  });
  refresh();
}

void Inspector::set_threshold(std::string_view task, double threshold) {
  cadenza::set_threshold(impl_->directory, task, threshold);
  refresh();
}

void Inspector::rename_task(std::string_view task, const std::string& new_name) {
  cadenza::rename_task(impl_->directory, task, new_name);
  refresh();
}

void Inspector::undo() {
  cadenza::undo(impl_->directory);
  refresh();
}

void Inspector::undo_task(std::string_view task) {
  cadenza::undo_task(impl_->directory, task);
  refresh();
}

std::uint64_t Inspector::prune() {
  const auto n_bytes = cadenza::prune(impl_->directory);
  refresh();
  return n_bytes;
}

void Inspector::refresh() { impl_->load(); }

}  // namespace cadenza
