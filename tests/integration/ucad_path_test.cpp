// UCAD from photographs to results on a ViT of two blocks: commands, whole runs in both modes, and
// the configuration files of the published ones.
#include "tests/support/two_products.h"
#include <gmock/gmock.h>

#include "cadenza/method/ucad/settings.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

const OptionTexts kTiny = {{"network", "vit_test"}, {"weights", "random:7"}, {"precision", "f32"},
                           {"tap_block", "1"},      {"epochs", "2"},         {"key_size", "64"},
                           {"memory_size", "64"},   {"basic_size", "128"},   {"sigma", "1"}};

class UcadPath : public TwoProducts {
 protected:
  UcadPath() : TwoProducts("ucad", kTiny) {}
};

TEST_F(UcadPath, TrainAndPredict) {
  EXPECT_THAT(train_and_predict(), HasSubstr("felzenszwalb"));  // no weights of SAM here
}

TEST_F(UcadPath, AnHonestRunForgetsNothing) {
  const auto results = experiment("honest", {});
  EXPECT_FALSE(results["test_selected"].get<bool>());
  EXPECT_FALSE(results.contains("epoch_ensemble"));
  EXPECT_GT(results["final"]["image_AUROC"]["mean"], 0.9);
  EXPECT_GT(results["final"]["pixel_AUPR"]["mean"], 0.3);
  EXPECT_EQ(results["continual"]["image_AUROC"]["forgetting"], 0);
  EXPECT_EQ(results["routing"]["accuracy"], 1);
  EXPECT_TRUE(results["continual"]["image_AUROC"]["memory_gap"].is_number());
  EXPECT_TRUE(results["continual"]["pixel_AUPR"]["memory_gap"].is_number());
  EXPECT_LT(results["bytes"]["state_per_task"][0], 1'640'000);
  EXPECT_THAT(results["network"]["name"].dump(), HasSubstr("vit_test"));
}

TEST_F(UcadPath, APaperRunJoinsEpochsAndSaysSo) {
  ExperimentSettings settings{.mode = RunMode::kPaper, .known_task = true};
  settings.options = {{"compat", "true"}};
  const auto results = experiment("paper", settings);
  EXPECT_TRUE(results["test_selected"].get<bool>());
  const auto& joined = results["epoch_ensemble"];
  EXPECT_GT(joined["image_AUROC"]["mean"], 0.9);
  EXPECT_TRUE(joined["pixel_AUPR"]["bottle"].is_number());
  EXPECT_GE(joined["epoch"]["cable"], 1);
  EXPECT_TRUE(joined.contains("memory_gap"));
  EXPECT_THAT(results["notes"].dump(), HasSubstr("epoch_ensemble: test-selected"));
  EXPECT_THAT(results["notes"].dump(), HasSubstr("oracle: the task was told"));
}

TEST_F(UcadPath, ASharedPromptRunsUnderAStrategy) {
  ExperimentSettings settings{.strategy = "ewc"};
  settings.options = {{"shared_prompt", "true"}, {"structure", "grid"}};
  const auto results = experiment("ewc", settings);
  EXPECT_EQ(results["strategy"], "ewc");
  EXPECT_TRUE(results["continual"]["image_AUROC"]["forgetting"].is_number());
}

TEST_F(UcadPath, TheBenchmarkCommandRunsIt) {
  const auto commands = builtin_commands().names();
  if (std::ranges::count(commands, "benchmark") == 0) GTEST_SKIP() << "no benchmark command";
  const auto result = run(with_options(
      {"benchmark", "--data", "data", "--protocol", "1xN", "--out", "run", "--save", "overlay"}));
  ASSERT_EQ(result.status, 0) << result.err;
  const auto summary = read_json(path("run") / "summary.json");
  EXPECT_GT(summary["final"]["image_AUROC"]["mean"]["mean"], 0.9);
  std::ptrdiff_t n_overlays = 0;
  for (const auto& entry :
       std::filesystem::recursive_directory_iterator(path("run") / "seed-0" / "overlay")) {
    n_overlays += entry.path().extension() == ".png";
  }
  EXPECT_EQ(n_overlays, 24);  // of every test photograph, after the last step
}

TEST(UcadConfigurations, OfThePaperAreWhatTheMethodTakes) {
  for (const auto& [data, n_tasks] : {std::pair("mvtec", 15), std::pair("visa", 12)}) {
    for (const auto* mode : {"paper", "honest"}) {
      SCOPED_TRACE(cat(data, " ", mode));
      const auto given = options_of_config("ucad", data, mode, n_tasks);
      const auto table = ucad_options();
      const Options options("method 'ucad'", table, given);
      const auto settings =
          read_ucad_settings(options, builtin_networks().find("vit_base_patch16"));
      EXPECT_EQ(settings.epochs, 25);
      EXPECT_EQ(settings.n_blocks, 6);
      EXPECT_EQ(settings.compat, mode == std::string("paper"));
      EXPECT_EQ(settings.basic_size, settings.compat ? 1960 : 0);
    }
  }
}

}  // namespace
}  // namespace cadenza
