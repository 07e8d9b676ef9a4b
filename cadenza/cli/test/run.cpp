#include "cadenza/cli/run.h"

#include <algorithm>
#include <optional>
#include <ostream>
#include <set>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/cli/labelled_data.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/cli/predict/prediction.h"
#include "cadenza/experiment/builtin_parts.h"
#include "cadenza/experiment/test_model.h"
#include "cadenza/inspector/edit.h"
#include "cadenza/inspector/inspector.h"
#include "cadenza/report/figure.h"
#include "cadenza/report/picture_files.h"
#include "cadenza/report/table.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

std::string share_text(const Json& value) {
  return figure_text(value.is_number() ? std::optional(value.get<double>()) : std::nullopt,
                     Unit::kShare);
}

Table summary_table(const Json& results) {
  Table table{.columns = {"product", "image AUROC", "image AUPR", "pixel AUROC", "pixel AUPR",
                          "AUPRO", "defects found", "false alarms"},
              .rows = {}};
  const auto& calibration = results.at("calibration");
  std::vector<std::string> rows = results.at("order");
  rows.emplace_back("mean");
  for (const auto& row : rows) {
    auto& cells = table.rows.emplace_back();
    cells.push_back(row);
    for (const auto* metric :
         {"image_AUROC", "image_AUPR", "pixel_AUROC", "pixel_AUPR", "pixel_AUPRO"}) {
      cells.push_back(share_text(results.at("final").at(metric).at(row)));
    }
    const auto* const task = row == "mean" ? "pooled" : row.c_str();
    cells.push_back(share_text(calibration.at("recall").at(task)));
    cells.push_back(share_text(calibration.at("realised_fpr").at(task)));
  }
  return table;
}

/// A trained model against labelled images.
class ModelTrial {
 public:
  explicit ModelTrial(const CommandContext& context)
      : context_(context),
        given_(context.invocation),
        saved_(parse_saved_pictures(given_.text("save"))),
        inspector_(open(context)),
        dataset_(read_labelled_data(context)) {
    if (given_.has("task")) name_task(given_.text("task"));
    test_undivided_tasks();
  }

  int run() {
    const auto& manifest = *inspector_.manifest();
    ExperimentSettings settings{.method = manifest.method, .options = manifest.options};
    settings.known_task = given_.flag("known_task");
    settings.pixel_size = given_.integer("pixel_size");
    auto parts = builtin_parts(environment_of(context_));
    parts.methods = context_.methods;
    std::optional<PictureFiles> pictures;
    Evaluator::Show show;
    if (saved_.any()) {
      pictures.emplace(given_.text("out"), saved_);
      show = [&](const Sample& sample, std::span<const std::byte> bytes, Verdict& verdict) {
        return pictures->write(sample.file, bytes, verdict);
      };
    }
    auto tested = test_model(inspector_.method(), inspector_.calibrations(), dataset_, settings,
                             parts, context_.stop, context_.progress, show);
    add_facts(tested.results);
    if (given_.has("out")) write(tested);
    tell(tested.results);
    return tested.results["failures"].empty() ? kExitDone : kExitSomeFailed;
  }

 private:
  Inspector open(const CommandContext& context) const {
    CADENZA_REQUIRE(!saved_.any() || given_.has("out"), ErrorCode::kInvalidArgument,
                    "--save needs --out: the folder that the pictures shall go to");
    return Inspector::open(given_.text("model"),
                           {.environment = environment_of(context), .methods = &context.methods});
  }

  /// The data are of one product and have another name for it, such as that of their folder.
  void name_task(const std::string& task) {
    find_task(inspector_.manifest()->current(), task);
    CADENZA_REQUIRE(dataset_.tasks.size() == 1, ErrorCode::kInvalidArgument, "--task ", task,
                    ": the data have ", dataset_.tasks.size(),
                    " tasks; it names that of data with one");
    dataset_.tasks = {task};
    for (auto& sample : dataset_.samples) sample.task = task;
  }

  /// A labelled folder that is not divided into training and test is there to be tested.
  void test_undivided_tasks() {
    std::set<std::string> divided;
    for (const auto& sample : dataset_.samples) {
      if (sample.split == Split::kTest && !sample.is_defect) divided.insert(sample.task);
    }
    for (const auto& task : dataset_.tasks) {
      if (!divided.contains(task)) {
        notes_.push_back(cat(task,
                             ": the data name no normal test images, so that all are tested; "
                             "those that the model was taught flatter it"));
      }
    }
    for (auto& sample : dataset_.samples) {
      if (!divided.contains(sample.task)) sample.split = Split::kTest;
    }
  }

  /// What the model directory knows and the trial does not.
  void add_facts(Json& results) const {
    const auto& manifest = *inspector_.manifest();
    results["model"] = {{"directory", given_.text("model")},
                        {"digest", manifest.digest()},
                        {"generation", manifest.current().number}};
    Json bytes = Json::array();
    std::set<double> targets;
    for (const std::string task : results["order"]) {
      const auto& record = find_task(manifest.current(), task);
      bytes.push_back(record.state.n_bytes);
      targets.insert(record.threshold.target_fpr);
    }
    results["bytes"]["state_per_task"] = bytes;
    for (const auto& note : notes_) results["notes"].push_back(note);
    results["calibration"]["target_fpr"] = nullptr;
    if (targets.size() == 1) results["calibration"]["target_fpr"] = *targets.begin();
    if (targets.size() > 1) {
      results["notes"].push_back("target_fpr: the tasks have different ones (cadenza task list)");
    }
  }

  void write(const ModelTest& tested) const {
    const fs::path out = given_.text("out");
    fs::create_directories(out);
    write_file_atomic(out / "results.json", tested.results.dump(1) + "\n");
    write_file_atomic(out / "predictions.jsonl", tested.predictions);
    write_file_atomic(out / "predictions.csv", tested_csv(tested.predictions));
  }

  void tell(const Json& results) const {
    if (given_.flag("json")) {
      context_.out << results.dump(2, ' ', false, Json::error_handler_t::replace) << '\n';
      return;
    }
    context_.out << plain_text(summary_table(results));
    context_.out << "pooled image AUROC " << share_text(results["pooled"]["image_AUROC"]);
    if (results["known_task"] == true) {
      context_.out << "; the task was told, nothing was routed\n";
    } else {
      context_.out << "; product recognised " << share_text(results["routing"]["accuracy"])
                   << ", called unknown " << share_text(results["routing"]["rejected"]) << '\n';
    }
    for (const auto& note : results["notes"]) context_.progress.warn(note.get<std::string>());
  }

  const CommandContext& context_;
  const Invocation& given_;
  SavedPictures saved_;
  Inspector inspector_;
  Dataset dataset_;
  std::vector<std::string> notes_;
};

int run_test(const CommandContext& context) { return ModelTrial(context).run(); }

}  // namespace

void register_test(RunTable& table) { table.add("test", run_test); }

}  // namespace cadenza
