// dual_prompt from photographs to results on small networks with generated weights: commands, whole
// runs in both modes, and the configuration files of the published ones.
#include "tests/support/two_products.h"
#include <gmock/gmock.h>

#include "cadenza/method/dual_prompt/settings.h"

namespace cadenza {
namespace {

using dual_prompt::read_settings;
using testing::HasSubstr;

const OptionTexts kTiny = {{"network", "efficientnet_lite_test"},
                           {"weights", "random:7"},
                           {"precision", "f32"},
                           {"sites", "s2b1-2"},
                           {"epochs", "2"},
                           {"head_dim", "32"},
                           {"key_size", "64"},
                           {"memory_size", "64"},
                           {"basic_size", "128"},
                           {"sigma", "1"}};

class DualPromptPath : public TwoProducts {
 protected:
  DualPromptPath() : TwoProducts("dual_prompt", kTiny) {}
};

TEST_F(DualPromptPath, TrainAndPredict) {
  EXPECT_THAT(train_and_predict(), HasSubstr("felzenszwalb"));  // no weights of SAM here
}

TEST_F(DualPromptPath, AnHonestRunForgetsNothing) {
  const auto results = experiment("honest", {});
  EXPECT_FALSE(results["test_selected"].get<bool>());
  EXPECT_FALSE(results.contains("epoch_ensemble"));
  EXPECT_GT(results["final"]["image_AUROC"]["mean"], 0.9);
  EXPECT_GT(results["final"]["pixel_AUPR"]["mean"], 0.3);
  EXPECT_EQ(results["continual"]["image_AUROC"]["forgetting"], 0);
  EXPECT_EQ(results["routing"]["accuracy"], 1);
  EXPECT_TRUE(results["continual"]["image_AUROC"]["memory_gap"].is_number());
  EXPECT_TRUE(results["continual"]["pixel_AUPR"]["memory_gap"].is_number());
  EXPECT_THAT(results["network"]["name"].dump(), HasSubstr("efficientnet_lite_test"));
}

TEST_F(DualPromptPath, APaperRunOnAConvNeXtJoinsEpochsAndSaysSo) {
  ExperimentSettings settings{.mode = RunMode::kPaper, .known_task = true};
  settings.options = {{"compat", "true"}, {"network", "convnext_test"}, {"sites", "s2b1,s2b2"}};
  const auto results = experiment("paper", settings);
  EXPECT_TRUE(results["test_selected"].get<bool>());
  const auto& joined = results["epoch_ensemble"];
  EXPECT_GT(joined["image_AUROC"]["mean"], 0.9);
  EXPECT_TRUE(joined["pixel_AUPR"]["bottle"].is_number());
  EXPECT_TRUE(joined.contains("memory_gap"));
  EXPECT_THAT(results["notes"].dump(), HasSubstr("epoch_ensemble: test-selected"));
}

TEST_F(DualPromptPath, SharedPromptsRunUnderAStrategy) {
  ExperimentSettings settings{.strategy = "ewc"};
  settings.options = {{"shared_prompt", "true"}, {"structure", "grid"}};
  const auto results = experiment("ewc", settings);
  EXPECT_EQ(results["strategy"], "ewc");
  EXPECT_TRUE(results["continual"]["image_AUROC"]["forgetting"].is_number());
}

TEST(DualPromptConfigurations, OfTheAuthorsCommandAreWhatTheMethodTakes) {
  for (const auto& [data, n_tasks] : {std::pair("mvtec", 15), std::pair("visa", 12)}) {
    for (const auto* mode : {"paper", "honest"}) {
      SCOPED_TRACE(cat(data, " ", mode));
      const auto given = options_of_config("dual_prompt", data, mode, n_tasks);
      const auto table = dual_prompt::dual_prompt_options();
      const Options options("method 'dual_prompt'", table, given);
      const auto settings = read_settings(options, builtin_networks().find("convnext_base"));
      EXPECT_EQ(settings.epochs, 25);
      ASSERT_EQ(settings.sites.size(), 3U);
      EXPECT_EQ(settings.sites[0].name, "s4b1");
      EXPECT_EQ(settings.analysis_tap, "s4b3");
      EXPECT_EQ(settings.head_dim, 1024);
      EXPECT_EQ(settings.compat, mode == std::string("paper"));
      EXPECT_EQ(settings.trains_scale, !settings.compat);
      EXPECT_EQ(settings.basic_size, settings.compat ? 1960 : 0);
    }
  }
}

}  // namespace
}  // namespace cadenza
