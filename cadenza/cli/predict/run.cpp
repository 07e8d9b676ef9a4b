#include "cadenza/cli/run.h"

#include <optional>
#include <ostream>

#include <unistd.h>

#include "cadenza/base/file.h"
#include "cadenza/base/suggest.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/cli/predict/prediction.h"
#include "cadenza/cli/terminal.h"
#include "cadenza/image/decode.h"
#include "cadenza/inspector/edit.h"
#include "cadenza/inspector/image_list.h"
#include "cadenza/inspector/inspector.h"
#include "cadenza/method/method.h"
#include "cadenza/report/picture_files.h"

namespace cadenza {

namespace fs = std::filesystem;

namespace {

/// Judges a list of images and tells each verdict as it comes.
class Prediction {
 public:
  explicit Prediction(const CommandContext& context)
      : context_(context), given_(context.invocation) {
    const auto saved = parse_saved_pictures(given_.text("save"));
    CADENZA_REQUIRE(!saved.any() || given_.has("out"), ErrorCode::kInvalidArgument,
                    "--save needs --out: the folder that the pictures shall go to");
    if (given_.has("task")) options_.task = given_.text("task");
    options_.makes_map = saved.any();
    inspector_.emplace(
        Inspector::open(given_.text("model"),
                        {.environment = environment_of(context), .methods = &context.methods}));
    require_a_way_to_the_task();
    model_ = {{"digest", inspector_->manifest()->digest()},
              {"generation", inspector_->manifest()->current().number}};
    if (!given_.has("out")) return;
    files_.emplace(given_.text("out"));
    pictures_.emplace(given_.text("out"), saved);
  }

  int run() {
    const auto paths = given_.list("path");
    const auto list = list_images(std::vector<fs::path>(paths.begin(), paths.end()));
    for (const auto& note : list.notes) context_.progress.warn(note);
    if (list.n_skipped > 0) {
      context_.progress.warn(cat(list.n_skipped, " files are no images by their names; skipped"));
    }
    CADENZA_REQUIRE(!list.files.empty() || !list.failures.empty(), ErrorCode::kInvalidArgument,
                    paths.front(), ": no image is there");
    // Lines on a terminal are progress enough; a bar would stand between them.
    Progress& progress = is_terminal(STDOUT_FILENO) ? no_progress() : context_.progress;
    progress.begin("images", std::ssize(list.files));
    for (const auto& file : list.files) {
      CADENZA_REQUIRE(!context_.stop.stop_requested(), ErrorCode::kCancelled,
                      "stopped; the verdicts above stand");
      judge(file);
      progress.advance(1);
    }
    progress.end();
    for (const auto& [path, error] : list.failures) tell(failure_line(path, error));
    return n_failed_ > 0 ? kExitSomeFailed : is_found_ ? kExitFound : kExitDone;
  }

 private:
  /// Otherwise every single image would say the same.
  void require_a_way_to_the_task() const {
    const auto& generation = inspector_->manifest()->current();
    if (given_.has("task")) {
      find_task(generation, given_.text("task"));
      return;
    }
    const auto& info = inspector_->method().info();
    std::vector<std::string> names;
    for (const auto& task : generation.tasks) names.push_back(task.name);
    CADENZA_REQUIRE(info.picks_task || names.size() <= 1, ErrorCode::kInvalidArgument, "method '",
                    info.name,
                    "' does not tell by itself which task an image shows; name it "
                    "(--task); known: ",
                    join(names));
  }

  void judge(const fs::path& file) {
    std::vector<std::byte> bytes;
    Verdict verdict;
    try {
      bytes = read_file(file, DecodeOptions{}.limit_bytes);
      verdict = inspector_->predict(bytes, file.string(), options_);
    } catch (const Error& error) {
      tell(failure_line(file, error));
      return;
    }
    Json saved = Json::object();
    if (pictures_) saved = pictures_->write(file, bytes, verdict);
    is_found_ |= given_.text("fail_on").find(to_string(verdict.label)) != std::string::npos;
    tell(prediction_line(file, verdict, saved, model_));
  }

  void tell(const Json& line) {
    n_failed_ += line.contains("error") ? 1 : 0;
    if (files_) files_->add(line);
    context_.out << (given_.flag("json") ? to_text(line) : describe(line)) << '\n' << std::flush;
  }

  const CommandContext& context_;
  const Invocation& given_;
  PredictOptions options_;
  std::optional<Inspector> inspector_;
  Json model_;
  std::optional<PredictionFiles> files_;
  std::optional<PictureFiles> pictures_;
  std::int64_t n_failed_ = 0;
  bool is_found_ = false;
};

int run_predict(const CommandContext& context) { return Prediction(context).run(); }

}  // namespace

void register_predict(RunTable& table) { table.add("predict", run_predict); }

}  // namespace cadenza
