#include "cadenza/method/dual_prompt/dual_prompt.h"

#include "tests/conformance/fake_stream.h"
#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/method/dual_prompt/task_vote.h"
#include "cadenza/method/registry.h"

namespace cadenza::dual_prompt {
namespace {

using testing::HasSubstr;

TEST(TaskVote, AsksOnlyTheThreeNearestAndThenTheirPatches) {
  // Four tasks; the fourth has the nearest patches but not enough votes.
  const auto distances = at::tensor({0.1F, 0.2F, 0.3F, 0.4F}).view({1, 4});
  std::vector<PackedBank> banks;
  for (const float at : {5.F, 1.F, 2.F, 0.F}) banks.emplace_back(at::full({1, 2}, at));
  const std::vector<const PackedBank*> keys{&banks[0], &banks[1], &banks[2], &banks[3]};
  EXPECT_EQ(vote(distances, keys, at::zeros({1, 3, 2})), 1U);
}

TEST(TaskVote, HearsTheFirst32ImagesAlone) {
  auto distances = at::zeros({40, 4});
  distances.slice(0, 0, 32).select(1, 3).fill_(1);
  distances.slice(0, 32).slice(1, 0, 3).fill_(100);
  std::vector<PackedBank> banks;
  for (int task = 0; task < 4; ++task) banks.emplace_back(at::full({1, 2}, task == 3 ? 0.F : 1.F));
  const std::vector<const PackedBank*> keys{&banks[0], &banks[1], &banks[2], &banks[3]};
  EXPECT_EQ(vote(distances, keys, at::zeros({40, 3, 2})), 0U);
}

OptionTexts tiny(const OptionTexts& more = {}) {
  auto texts = builtin_methods().find("dual_prompt").tiny;
  for (const auto& [name, value] : more) texts[name] = value;
  return texts;
}

std::unique_ptr<Method> make(const OptionTexts& more = {}) {
  return builtin_methods().make("dual_prompt", tiny(more), {});
}

double auroc(const at::Tensor& normal, const at::Tensor& defect) {
  const auto won = defect.unsqueeze(1) - normal.unsqueeze(0);
  return ((won > 0).to(at::kDouble) + 0.5 * (won == 0)).mean().item<double>();
}

TEST(DualPrompt, LearnsOnEveryFamilyWithEveryPart) {
  const std::vector<OptionTexts> all{
      {},
      {{"kernel_prompt", "false"}},
      {{"mask_prompt", "false"}},
      {{"head_dim", "0"}},
      {{"epochs", "0"}},
      {{"sites", "none"}},
      {{"optimizer", "adamw_groups"}},
      {{"structure", "grid"}},
      {{"sampler", "approx_greedy_coreset"}},
      {{"embed_dim", "24"}},
      {{"patch_size", "3"}, {"embed_dim", "64"}, {"target_dim", "48"}},
      {{"epochs", "0"}, {"patch_size", "3"}},
      {{"precision", "bf16"}},
      {{"key_pool", "max"}},
      {{"cache_mb", "0"}},
      {{"network", "convnext_test"}, {"sites", "s2b1,s2b2"}, {"analysis_site", "s2b2"}}};
  for (const auto& options : all) {
    const auto name = options.empty() ? "" : options.begin()->first + options.begin()->second;
    SCOPED_TRACE(name);
    const auto method = make(options);
    const FakeStream stream(method->info().input);
    method->train_task(*stream.training(0), {.seed = 1});
    const auto normal = method->score(stream.normals(0), {}).image_score;
    EXPECT_GT(auroc(normal, method->score(stream.defects(0), {}).image_score), 0.8);
  }
}

TEST(DualPrompt, TrainingMovesEveryPart) {
  const auto method = make();
  const FakeStream stream(method->info().input);
  method->train_task(*stream.training(0), {.seed = 1});
  const auto options = Options("m", dual_prompt_options(), tiny());
  const NetworkEntry network = builtin_networks().find("efficientnet_lite_test");
  const auto settings = read_settings(options, network);
  const auto piece = method->save().tasks.at(0);
  const auto n_channels = piece.tensors.at("keys").size(1);
  for (const auto& [name, start] : initial_prompt(settings, n_channels, 1)) {
    EXPECT_FALSE(piece.tensors.at("prompt." + name).equal(start)) << name;
  }
}

TEST(DualPrompt, CompatFreezesTheScaleAndSquaresDistances) {
  const auto ours = make({{"epochs", "0"}}),
             theirs = make({{"epochs", "0"}, {"compat", "true"}, {"norm", "network"}});
  const FakeStream stream(ours->info().input);
  for (const auto& method : {ours.get(), theirs.get()}) {
    method->train_task(*stream.training(0), {.seed = 1});
  }
  const auto images = stream.defects(0);
  const auto plain = ours->score(images, {}).image_score;
  const auto squared = theirs->score(images, {}).image_score;
  EXPECT_TRUE(at::allclose(plain.square(), squared, 1e-5));

  const auto trained = make({{"compat", "true"}});
  const FakeStream mapped(trained->info().input);
  trained->train_task(*mapped.training(0), {.seed = 1});
  const auto piece = trained->save().tasks.at(0);
  EXPECT_EQ(piece.tensors.at("prompt.scale.s2b1").item<float>(), 1);
  EXPECT_GT(piece.tensors.at("prompt.mask.s2b1").abs().max().item<float>(), 0);
}

TEST(DualPrompt, CompatDecidesOnceForAllImagesOfACall) {
  const auto method = make({{"compat", "true"}});
  const FakeStream stream(method->info().input);
  for (std::int64_t task = 0; task < 2; ++task) {
    method->train_task(*stream.training(task), {.seed = 1});
  }
  const auto mixed = at::cat({stream.normals(0), stream.normals(1).slice(0, 0, 1)});
  EXPECT_TRUE((*method->score(mixed, {}).task == 0).all().item<bool>());
}

TEST(DualPrompt, KnowledgeIsEmbeddedAndKeysAreNot) {
  for (const auto* epochs : {"2", "0"}) {
    const auto method =
        make({{"epochs", epochs}, {"patch_size", "3"}, {"embed_dim", "64"}, {"target_dim", "48"}});
    const FakeStream stream(method->info().input);
    method->train_task(*stream.training(0), {.seed = 1});
    const auto state = method->save();
    const auto& tensors = state.tasks.at(0).tensors;
    EXPECT_EQ(tensors.at("knowledge").size(1), 48);
    EXPECT_NE(tensors.at("keys").size(1), 48);
    const auto again =
        make({{"epochs", epochs}, {"patch_size", "3"}, {"embed_dim", "64"}, {"target_dim", "48"}});
    again->load(state);
    const auto images = stream.defects(0);
    EXPECT_TRUE(again->score(images, {}).image_score.equal(method->score(images, {}).image_score));
  }
}

TEST(DualPrompt, ALargerMemoryJudgesTheSameTasks) {
  EXPECT_EQ(make()->with_larger_memory(), nullptr);
  const auto method = make({{"basic_size", "200"}});
  const FakeStream stream(method->info().input);
  method->train_task(*stream.training(0), {.seed = 1});
  const auto larger = method->with_larger_memory();
  const auto images = stream.normals(0);
  const auto few = method->score(images, {}).image_score;
  const auto many = larger->score(images, {}).image_score;
  EXPECT_TRUE((many <= few).all().item<bool>());
  EXPECT_TRUE((many < few).any().item<bool>());
}

TEST(DualPrompt, RejectsFromAMultipleOfTheFarthestNormal) {
  const auto method = make({{"reject_factor", "1.5"}});
  const FakeStream stream(method->info().input);
  method->train_task(*stream.training(0), {.seed = 1});
  const auto found = method->calibration(0);
  EXPECT_FLOAT_EQ(static_cast<float>(*found->reject_above),
                  1.5F * std::ranges::max(found->distances));
  EXPECT_FALSE(make()->info().fingerprint.empty());
}

TEST(DualPrompt, NamesTheOptionThatDoesNotFit) {
  const auto message = [](const OptionTexts& options) {
    const auto error = error_of([&] { make(options); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  EXPECT_THAT(message({{"sites", "s3b1"}, {"analysis_site", "s2b1"}}),
              HasSubstr("block s3b1 lies behind analysis_site s2b1"));
  EXPECT_THAT(message({{"sites", "s9b1"}}), HasSubstr("token 's9b1'"));
  EXPECT_THAT(message({{"basic_size", "10"}}), HasSubstr("basic_size = 10"));
  EXPECT_THAT(message({{"patch_size", "2"}}), HasSubstr("patch_size = 2: expected an odd number"));
  EXPECT_THAT(message({{"target_dim", "8"}}), HasSubstr("target_dim = 8: expected embed_dim"));
  EXPECT_THAT(message({{"network", "vit_test"}}), HasSubstr("depthwise"));
}

TEST(DualPrompt, WildcardsEndAtTheAnalysisSite) {
  const auto sites = [](const OptionTexts& options) {
    const auto network = builtin_networks().find(options.at("network"));
    std::string names;
    const auto settings = read_settings(Options("m", dual_prompt_options(), options), network);
    for (const auto& site : settings.sites) names += site.name + ' ';
    return names + settings.analysis_tap;
  };
  EXPECT_EQ(sites({{"network", "convnext_base"}}), "s4b1 s4b2 s4b3 s4b3");
  EXPECT_EQ(sites({{"network", "convnext_tiny"}, {"analysis_site", "s2b2"}}), "s2b1 s2b2 s2b2");
  EXPECT_EQ(sites({{"network", "convnext_tiny"}, {"sites", "all"}, {"analysis_site", "s2b1"}}),
            "s1b1 s1b2 s1b3 s2b1 s2b1");
  EXPECT_EQ(sites({{"network", "efficientnet_lite0"}}), "s5b1 s5b2 s5b3 s5b3");
  EXPECT_EQ(sites({{"network", "convnext_tiny"}, {"sites", "s3b2"}}), "s3b2 s3b9");
  EXPECT_EQ(sites({{"network", "convnext_tiny"},
                   {"sites", "s3b2"},
                   {"analysis_site", "s3b6"},
                   {"compat", "true"}}),
            "s3b2 s3b9");
}

TEST(DualPrompt, BrokenStateNamesTheKey) {
  const auto method = make();
  const FakeStream stream(method->info().input);
  method->train_task(*stream.training(0), {.seed = 1});
  const auto good = method->save();
  for (const auto& [key, tensor] : good.tasks.at(0).tensors) {
    auto bad = good;
    bad.tasks[0].tensors[key] = at::zeros({3, 5, 7});
    const auto error = error_of([&] { make()->load(bad); });
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData) << key;
    EXPECT_THAT(error.what(), HasSubstr(key));
  }
}

}  // namespace
}  // namespace cadenza::dual_prompt
