// Whole benchmark runs on the four real data sets beside the project: the figures of
// routed_memory's specification (table 9.1, with its tolerances) and of anomalib's PatchCore.
#include <filesystem>
#include <map>
#include <string>

#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

struct Expected {
  double value, tolerance;
};
using ByTask = std::map<std::string, Expected>;

class RealData : public testing::Test {
 protected:
  void SetUp() override {
    if (!fs::exists(data_)) GTEST_SKIP() << "skipped: no ../shared";
  }

  Json benchmark(const std::string& method, const std::string& order,
                 const std::vector<std::string>& more = {}) {
    const auto out = (folder_.path() / ("run" + std::to_string(n_runs_++))).string();
    std::vector<std::string> words = {CADENZA_PROGRAM, "benchmark", "--method", method,
                                      "--protocol",    "1xN",       "--data",   data_.string(),
                                      "--order",       order,       "--seeds",  "0",
                                      "--pixel-size",  "128",       "--out",    out};
    words.insert(words.end(), more.begin(), more.end());
    const auto result = run_program(words);
    EXPECT_EQ(result.status, 0) << result.err;
    const auto bytes = read_file(fs::path(out) / "seed-0" / "results.json");
    return parse_json({reinterpret_cast<const char*>(bytes.data()), bytes.size()}, out);
  }

  static void expect(const Json& results, const std::string& metric, const ByTask& wanted) {
    for (const auto& [task, expected] : wanted) {
      EXPECT_NEAR(results["final"][metric][task].get<double>(), expected.value, expected.tolerance)
          << metric << " of " << task;
    }
  }

  const fs::path data_ = fs::weakly_canonical(fs::path(CADENZA_SOURCE) / "../shared/data/real");
  TemporaryFolder folder_;
  int n_runs_ = 0;
};

TEST_F(RealData, RoutedMemoryReachesItsTable) {
  const auto results = benchmark("routed_memory", "elpv_mono,mtd,road_crack,brain_mri");
  expect(results, "image_AUROC",
         {{"elpv_mono", {.887, .015}},
          {"mtd", {.922, .025}},
          {"road_crack", {.975, .010}},
          {"brain_mri", {.926, .020}},
          {"mean", {.927, .010}}});
  expect(results, "pixel_AUPR", {{"mtd", {.473, .03}}, {"road_crack", {.266, .02}}});
  expect(results, "pixel_AUROC", {{"mtd", {.831, .02}}, {"road_crack", {.925, .015}}});
  expect(results, "pixel_AUPRO", {{"mtd", {.743, .03}}, {"road_crack", {.717, .02}}});
  EXPECT_NEAR(results["pooled"]["image_AUROC"].get<double>(), .928, .01);
  EXPECT_EQ(results["routing"]["accuracy"], 1);
  for (const auto* metric : {"image_AUROC", "pixel_AUPR", "pixel_AUPRO"}) {
    EXPECT_EQ(results["continual"][metric]["forgetting"], 0) << metric;
  }
  for (const auto& bytes : results["bytes"]["state_per_task"]) EXPECT_LE(bytes, 450'000);
}

class RealDataSlow : public RealData {};

TEST_F(RealDataSlow, RoutedMemoryDoesNotDependOnTheOrder) {
  const auto one = benchmark("routed_memory", "elpv_mono,mtd,road_crack,brain_mri");
  const auto other = benchmark("routed_memory", "brain_mri,road_crack,elpv_mono,mtd");
  for (const auto& [metric, of_tasks] : one["final"].items()) {
    for (const auto& [task, value] : of_tasks.items()) {
      EXPECT_EQ(other["final"][metric][task], value) << metric << " of " << task;
    }
  }
  EXPECT_EQ(one["pooled"], other["pooled"]);
}

TEST_F(RealDataSlow, PatchcoreIsAnomalibsWithTheTaskTold) {
  const auto results =
      benchmark("patchcore", "elpv_mono,mtd,road_crack,brain_mri", {"--known-task"});
  for (const auto& [task, theirs] : std::map<std::string, double>{
           {"elpv_mono", .904}, {"mtd", .899}, {"road_crack", .962}, {"brain_mri", .870}}) {
    EXPECT_GE(results["final"]["image_AUROC"][task].get<double>(), theirs - .015) << task;
  }
}

}  // namespace
}  // namespace cadenza
