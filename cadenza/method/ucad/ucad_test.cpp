#include "cadenza/method/ucad/ucad.h"

#include <cmath>

#include "tests/conformance/fake_stream.h"
#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/inspector/state_file.h"
#include "cadenza/method/registry.h"
#include "cadenza/method/ucad/prompt.h"
#include "cadenza/structure/contrastive/scl.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

OptionTexts tiny(const OptionTexts& more = {}) {
  auto options = builtin_methods().find("ucad").tiny;
  for (const auto& [name, value] : more) options[name] = value;
  return options;
}

std::unique_ptr<Method> make(const OptionTexts& more = {}) {
  return builtin_methods().make("ucad", tiny(more), {});
}

std::unique_ptr<Method> trained(const OptionTexts& more = {}, std::vector<int> tasks = {0, 1}) {
  auto method = make(more);
  const FakeStream stream(method->info().input);
  for (const auto task : tasks) method->train_task(*stream.training(task), {.seed = 1});
  return method;
}

UcadSettings settings(const OptionTexts& more = {}) {
  const auto table = ucad_options();
  return read_ucad_settings(Options("method 'ucad'", table, tiny(more)),
                            builtin_networks().find("vit_test"));
}

/// The whole network at once, by LibTorch: patches [B,16,32] of block 1 under a prompt
/// [2,2,1,32], or (undefined) without.
at::Tensor whole_network(const at::Tensor& images, const at::Tensor& prompt) {
  const auto networks = builtin_networks();
  const auto& entry = networks.find("vit_test");
  const int n_prompted = prompt.defined() ? 2 : 0;
  auto graph =
      entry.describe({.taps = {"tokens.1"}, .prefix = {.n_tokens = 1, .n_blocks = n_prompted}});
  const auto weights = load_weights(entry, graph, {}, "random:7");
  const TorchEngine engine(graph, weights, {});
  std::vector<at::Tensor> inputs = {images};
  for (int block = 0; block < n_prompted; ++block) {
    for (int part = 0; part < 2; ++part) {
      inputs.push_back(prompt[block][part].unsqueeze(0).expand({images.size(0), 1, 32}));
    }
  }
  return engine.run(inputs)[0].slice(1, 1);
}

/// Mean-pooled from 32 channels to 40, as torch does it: by definition.
at::Tensor pooled(const at::Tensor& features) {
  auto all = at::empty({features.size(0), features.size(1), 40});
  for (std::int64_t channel = 0; channel < 40; ++channel) {
    const auto first = channel * 32 / 40, last = ((channel + 1) * 32 + 39) / 40;
    all.select(2, channel).copy_(features.slice(2, first, last).mean(2));
  }
  return all;
}

/// The smallest squared distance of each patch [N,D] to rows [K,D], pair by pair.
at::Tensor nearest_squared(const at::Tensor& patches, const at::Tensor& rows) {
  return (patches.unsqueeze(1) - rows.unsqueeze(0)).square().sum(2).amin(1);
}

void expect_near(const at::Tensor& found, const at::Tensor& wanted) {
  EXPECT_LT((found - wanted).abs().max().item<double>(), 1e-4 * wanted.abs().max().item<double>());
}

// compat stores the pooled features themselves, so its state can be read by definition.
TEST(Ucad, ScoresByDefinition) {
  const auto method = trained({{"compat", "true"}});
  const FakeStream stream(method->info().input);
  const auto state = method->save();
  for (const auto& images : {stream.normals(0).slice(0, 0, 1), stream.defects(1).slice(0, 4, 5)}) {
    const auto plain = pooled(whole_network(images, {}))[0];
    std::vector<double> far;
    for (TaskId task = 0; task < 2; ++task) {
      const auto& keys = state.tasks.at(task).tensors.at("keys");
      far.push_back(nearest_squared(plain, keys).max().item<double>());
    }
    const TaskId nearest = far[0] <= far[1] ? 0 : 1;
    const auto& tensors = state.tasks.at(nearest).tensors;
    const auto prompted = pooled(whole_network(images, tensors.at("prompt")))[0];
    const auto patches = nearest_squared(prompted, tensors.at("knowledge"));

    const auto found = method->score(images, {});
    EXPECT_EQ(found.task->item<TaskId>(), nearest);
    expect_near(found.image_score, patches.max().unsqueeze(0));
    expect_near(*found.anomaly_map, patch_map(patches.unsqueeze(0), 4, 4,
                                              {.height_px = 32, .width_px = 32, .sigma_px = 4}));
    const double typical = tensors.at("limits")[0].item<double>();
    EXPECT_NEAR(found.task_distance->item<double>(),
                std::sqrt(far[static_cast<std::size_t>(nearest)]) / typical, 1e-3);
  }
}

TEST(Ucad, DistancesAreThoseOfPooledFeaturesWithoutTheirLength) {
  const auto ours = trained(), released = trained({{"embed_dim", "40"}, {"compat", "true"}});
  EXPECT_EQ(ours->save().tasks.at(0).tensors.at("keys").size(1), 32);
  EXPECT_EQ(released->save().tasks.at(0).tensors.at("keys").size(1), 40);
  // By definition again: rows of 32 numbers whose distances are the pooled features'.
  const FakeStream stream(ours->info().input);
  const auto images = stream.defects(0).slice(0, 0, 1);
  const auto state = ours->save();
  const auto& tensors = state.tasks.at(0).tensors;
  const PatchEmbedding embedding(embedding_options(settings(), 32, 4));
  const auto prompted = whole_network(images, tensors.at("prompt"));
  const auto rows = embedding(prompted)[0];
  const auto between = [](const at::Tensor& x) { return (x[0] - x[5]).square().sum(); };
  expect_near(between(rows), between(pooled(prompted)[0]));
  const TaskId told[] = {0};
  expect_near(ours->score(images, {.candidates = told}).image_score.square(),
              nearest_squared(rows, tensors.at("knowledge")).max().unsqueeze(0));
}

TEST(Ucad, TrainingLowersTheContrastiveLoss) {
  const OptionTexts options = {{"epochs", "12"}, {"learning_rate", "0.02"}};
  const auto method = trained(options, {0});
  const FakeStream stream(method->info().input);
  const auto data = stream.training(0);
  const auto images = data->images(0, data->size());
  const auto labels = cell_labels(*data->structure(0, data->size()), 4, 4, LabelRule::kNearest);
  const c10::NoGradGuard no_grad;
  const auto loss = [&](const at::Tensor& prompt) {
    return structure_contrastive_loss(whole_network(images, prompt), labels).item<double>();
  };
  const auto before = initial_prompt(settings(options), 32, 1, "ucad prompt");
  EXPECT_LT(loss(method->save().tasks.at(0).tensors.at("prompt")), loss(before) - 1e-3);
}

TEST(Ucad, LeftOutScoresAreThoseAgainstOtherImagesRows) {
  const auto method = trained({{"epochs", "0"}, {"memory_size", "20"}, {"key_size", "20"}}, {0});
  const FakeStream stream(method->info().input);
  const auto data = stream.training(0);
  const PatchEmbedding embedding(embedding_options(settings({{"epochs", "0"}}), 32, 4));
  const auto patches = embedding(whole_network(data->images(0, data->size()), {}));
  const auto rows = method->save().tasks.at(0).tensors.at("rows");
  // A row is of the image in which it has distance 0.
  const auto all = patches.reshape({-1, patches.size(2)});
  const auto found = method->calibration(0);
  ASSERT_EQ(std::ssize(found->scores), data->size());
  for (std::int64_t image = 0; image < data->size(); ++image) {
    std::vector<at::Tensor> others;
    for (std::int64_t row = 0; row < rows.size(0); ++row) {
      const auto owner = (all - rows[row]).square().sum(1).argmin().item<std::int64_t>() / 16;
      if (owner != image) others.push_back(rows[row]);
    }
    const auto wanted = nearest_squared(patches[image], at::stack(others)).max().sqrt();
    EXPECT_NEAR(found->scores[static_cast<std::size_t>(image)], wanted.item<double>(), 1e-3);
  }
}

TEST(Ucad, OneImageGivesRowsButNoCalibration) {
  const auto method = make();
  const FakeStream stream(method->info().input);
  const auto all = stream.training(0);
  const MemoryTaskData one(FakeStream::task(0), all->pixels(0, 1));
  // No region maps there: a grid needs none.
  const auto grid = make({{"structure", "grid"}});
  grid->train_task(one, {.seed = 1});
  EXPECT_TRUE(grid->calibration(0)->scores.empty());
  EXPECT_FALSE(grid->calibration(0)->map_threshold.has_value());
  EXPECT_TRUE(grid->score(stream.normals(0), {}).image_score.isfinite().all().item<bool>());
  const auto error = error_of([&] { method->train_task(one, {.seed = 1}); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("structure=grid"));
}

TEST(Ucad, StateOfATaskIsKeysKnowledgeAndPrompt) {
  const auto bytes_of = [](const StatePiece& piece) {
    std::int64_t n_bytes = 0;
    for (const auto& [name, tensor] : piece.tensors) n_bytes += std::int64_t(tensor.nbytes());
    return n_bytes;
  };
  const auto n_calibration = FakeStream::kTrain * 2 * 4 + 16;
  EXPECT_EQ(bytes_of(trained({}, {0})->save().tasks.at(0)),
            (64 + 64) * 32 * 4 + 2 * 2 * 32 * 4 + n_calibration);
  EXPECT_EQ(bytes_of(trained({{"epochs", "0"}}, {0})->save().tasks.at(0)),
            64 * 32 * 4 + n_calibration);
  // The same sum for a ViT-B of 250 images: 1.64 MB a task at most, also as released.
  const auto vit_base = [](std::int64_t dim) {
    return (196 + 196) * dim * 4 + 6 * 2 * 768 * 4 + 250 * 2 * 4 + 16;
  };
  EXPECT_LE(vit_base(768), 1'244'000);
  EXPECT_LE(vit_base(1024), 1'645'000);
}

TEST(Ucad, LargerMemoryIsNearerToEverything) {
  const auto method = trained({{"basic_size", "128"}});
  EXPECT_EQ(trained({}, {0})->with_larger_memory(), nullptr);
  const auto larger = method->with_larger_memory();
  ASSERT_NE(larger, nullptr);
  const FakeStream stream(method->info().input);
  const auto kept = method->score(stream.defects(0), {}).image_score;
  const auto beside = larger->score(stream.defects(0), {}).image_score;
  EXPECT_TRUE((beside <= kept).all().item<bool>());  // its rows include the kept ones
  EXPECT_TRUE((beside < kept).any().item<bool>());
  const auto loaded = make({{"basic_size", "128"}});
  loaded->load(method->save());
  EXPECT_TRUE(
      at::equal(loaded->with_larger_memory()->score(stream.defects(0), {}).image_score, beside));
}

TEST(Ucad, EveryEpochCanBeScoredAndEndsTheTraining) {
  for (const auto* compat : {"false", "true"}) {
    const auto method = make({{"epochs", "4"}, {"compat", compat}, {"basic_size", "100"}});
    const FakeStream stream(method->info().input);
    std::vector<std::int64_t> epochs;
    std::vector<at::Tensor> scores;
    TrainContext context{.seed = 1};
    context.after_epoch = [&](std::int64_t epoch, const Method& so_far) {
      epochs.push_back(epoch);
      scores.push_back(so_far.score(stream.defects(0), {}).image_score);
      return epoch < 2;
    };
    method->train_task(*stream.training(0), context);
    EXPECT_THAT(epochs, testing::ElementsAre(0, 1, 2));
    EXPECT_FALSE(at::equal(scores[0], scores[1]));
    EXPECT_TRUE(at::equal(scores[2], method->score(stream.defects(0), {}).image_score));
  }
}

TEST(Ucad, AFirstPromptBehindTheFirstBlockLeavesWhatLiesBeforeAlone) {
  const auto method = trained({{"prompt_layers", "1"}}, {0});
  const auto piece = method->save().tasks.at(0);
  const auto& prompt = piece.tensors.at("prompt");
  EXPECT_EQ(prompt.sizes(), at::IntArrayRef({1, 2, 1, 32}));
  const FakeStream stream(method->info().input);
  EXPECT_TRUE(method->score(stream.defects(0), {}).image_score.isfinite().all().item<bool>());
}

TEST(Ucad, NeighbouringPatchesAndTwoAveragesGoIntoTheMemory) {
  const auto method =
      trained({{"patch_size", "3"}, {"embed_dim", "64"}, {"target_dim", "48"}}, {0});
  EXPECT_EQ(method->save().tasks.at(0).tensors.at("keys").size(1), 48);
}

struct Refused {
  OptionTexts options;
  const char* told;
};

TEST(UcadOptions, WhatCannotBeIsToldByName) {
  const std::vector<Refused> all = {
      {{{"prompt_layers", "0-2"}}, "prompt_layers = '0-2': expected"},
      {{{"prompt_layers", "1-0"}}, "prompt_layers = '1-0'"},
      {{{"prompt_layers", "first"}}, "prompt_layers = 'first'"},
      {{{"patch_size", "2"}}, "patch_size = 2: expected an odd number"},
      {{{"target_dim", "8"}, {"embed_dim", "0"}}, "target_dim = 8"},
      {{{"basic_size", "64"}}, "basic_size = 64: expected 0 or more than memory_size = 64"},
      {{{"compat", "true"}, {"prompt_length", "2"}}, "prompt_length = 2"},
      {{{"network", "efficientnet_lite_test"}}, "expected a ViT"},
      {{{"sampler", "identity"}}, "sampler"}};
  for (const auto& [options, told] : all) {
    const auto error = error_of([&] { make(options); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << told;
    EXPECT_THAT(error.what(), HasSubstr(told));
  }
  const auto error = error_of([&] { make({{"tap_block", "2"}}); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("tokens.2"));
}

TEST(UcadOptions, CompatChangesWhatTheReleaseHasOtherwise) {
  EXPECT_EQ(settings().label_rule, LabelRule::kNearest);
  EXPECT_EQ(settings({{"compat", "true"}}).label_rule, LabelRule::kAveraged);
  EXPECT_FLOAT_EQ(make()->info().input.mean[0], 0.5F);
  EXPECT_FLOAT_EQ(make({{"compat", "true"}})->info().input.mean[0], 0.485F);
  EXPECT_FALSE(make({{"epochs", "0"}})->info().input.needs_structure);
  EXPECT_FALSE(make({{"structure", "grid"}})->info().input.needs_structure);
}

TEST(Ucad, StateThatDoesNotFitIsNamed) {
  const auto method = trained({}, {0});
  const auto state = method->save();
  const auto refused = [&](const char* key, const at::Tensor& value) {
    auto odd = state;
    odd.tasks.at(0).tensors[key] = value;
    const auto error = error_of([&] { make()->load(odd); });
    EXPECT_EQ(error.code(), ErrorCode::kCorruptData) << key;
    EXPECT_THAT(error.what(), HasSubstr(key));
  };
  refused("keys", at::zeros({64, 31}));
  refused("knowledge", at::full({64, 32}, std::nan("")));
  refused("prompt", at::zeros({2, 2, 2, 32}));
  refused("scores", at::zeros({2, 2}));
  refused("limits", at::zeros({2}));
  refused("limits", at::zeros({2}, at::kDouble));
}

TEST(Ucad, ASharedPromptIsOfAllTasksAndMovesOn) {
  const auto method = make({{"shared_prompt", "true"}});
  EXPECT_TRUE(method->info().shares_parameters);
  EXPECT_FALSE(method->info().isolates_tasks);
  const FakeStream stream(method->info().input);
  method->train_task(*stream.training(0), {.seed = 1});
  const auto first = method->save().shared.tensors.at("prompt");
  method->train_task(*stream.training(1), {.seed = 1});
  const auto state = method->save();
  EXPECT_FALSE(at::equal(first, state.shared.tensors.at("prompt")));
  EXPECT_FALSE(state.tasks.at(0).tensors.contains("prompt"));
  // Frozen: memories grow, the prompt stays.
  method->train_task(*stream.training(2), {.seed = 1, .frozen = true});
  EXPECT_TRUE(
      at::equal(state.shared.tensors.at("prompt"), method->save().shared.tensors.at("prompt")));
}

}  // namespace
}  // namespace cadenza
