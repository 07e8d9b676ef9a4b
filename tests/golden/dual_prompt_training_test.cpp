// Section 8 of the dual_prompt specification: what training keeps of the frozen part, and routing.
#include <string>
#include <vector>

#include "tests/conformance/fake_stream.h"
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

#include "cadenza/continual/optimizer.h"
#include "cadenza/method/dual_prompt/prompted_network.h"
#include "cadenza/method/registry.h"
#include "cadenza/network/torch_engine.h"
#include "cadenza/structure/contrastive/cell_labels.h"
#include "cadenza/structure/contrastive/scl.h"

namespace cadenza::dual_prompt {
namespace {

OptionTexts with(OptionTexts options) {
  const auto tiny = builtin_methods().find("dual_prompt").tiny;
  options.insert(tiny.begin(), tiny.end());
  return options;
}

const OptionTexts kConvNext = {{"network", "convnext_test"}, {"sites", "s2b1-2"}};
const OptionTexts kEfficientNet = {{"network", "efficientnet_lite_test"}, {"sites", "s2b1-2"}};

struct Built {
  explicit Built(const OptionTexts& options)
      : entry(builtin_networks().find(options.at("network"))),
        settings(read_settings(Options("dual_prompt", dual_prompt_options(), options), entry)),
        method(builtin_methods().make("dual_prompt", options, {})) {}

  NetworkEntry entry;
  DualPromptSettings settings;
  std::unique_ptr<Method> method;
};

DualPrompt learned(const Built& built) {
  const auto state = built.method->save();
  DualPrompt prompt;
  for (const auto& [name, tensor] : state.tasks.at(0).tensors) {
    if (name.starts_with("prompt.")) prompt[name.substr(7)] = tensor;
  }
  return prompt;
}

/// Ten steps from pixels: the whole prompted network by LibTorch each time, nothing kept.
DualPrompt ten_steps_from_pixels(const Built& built, const TaskData& data) {
  const c10::AutoGradMode recording(true);
  const auto& settings = built.settings;
  const auto whole = describe_prompted(built.entry, settings, "", settings.analysis_tap);
  const TorchEngine engine(whole, load_weights(built.entry, whole, {}, settings.weights));
  const auto grid = find_tap(built.entry, settings.analysis_tap).shape;
  const auto images = data.images(0, data.size());
  const auto labels =
      cell_labels(*data.structure(0, data.size()), grid[2], grid[3], LabelRule::kNearest);
  auto prompt = initial_prompt(settings, grid[1], /*seed=*/1);
  std::vector<at::Tensor> parameters;
  for (auto& [name, tensor] : prompt) parameters.push_back(tensor.requires_grad_());
  const auto optimizer =
      make_optimizer({.kind = OptimizerKind::kAdam, .learning_rate = 5e-4}, parameters);
  for (int step = 0; step < 10; ++step) {
    for (auto& parameter : parameters) parameter.mutable_grad() = at::Tensor();
    const auto features = engine.run(prompted_inputs(whole, settings, images, prompt))[0];
    structure_contrastive_loss(projected_cells(prompt, features), labels, 0.5).backward();
    optimizer->step(1);
  }
  for (auto& [name, tensor] : prompt) tensor = tensor.detach();
  return prompt;
}

TEST(prefix, TenStepsFromTheCacheAreTenStepsFromPixels) {
  for (const auto& options : {kConvNext, kEfficientNet}) {
    SCOPED_TRACE(options.at("network"));
    auto more = options;
    // One batch an epoch, so that no shuffle tells two runs apart; no clipping.
    more.insert({{"epochs", "10"}, {"batch_size", "16"}, {"clip_norm", "0"}});
    const Built built(with(more));
    const FakeStream stream(built.method->info().input);
    const auto data = stream.training(0);
    built.method->train_task(*data, {.seed = 1});
    const auto cached = learned(built);
    const auto wanted = ten_steps_from_pixels(built, *data);
    ASSERT_EQ(cached.size(), wanted.size());
    const auto start = initial_prompt(built.settings, wanted.at("head.weight").size(1), 1);
    for (const auto& [name, tensor] : wanted) {
      EXPECT_LT((cached.at(name) - tensor).abs().max().item<double>(), 1e-6) << name;
      EXPECT_GT((start.at(name) - tensor).abs().max().item<double>(), 1e-3) << name;
    }
  }
}

TEST(prefix, WithoutRoomForTheCacheTheStateIsTheSameBytes) {
  for (const auto& options : {kConvNext, kEfficientNet}) {
    SCOPED_TRACE(options.at("network"));
    std::vector<DualPrompt> found;
    for (const auto* room : {"0", "1024"}) {
      auto more = options;
      more.insert({{"cache_mb", room}, {"epochs", "5"}});  // 2 batches an epoch
      const Built built(with(more));
      const FakeStream stream(built.method->info().input);
      built.method->train_task(*stream.training(0), {.seed = 1});
      found.push_back(learned(built));
    }
    for (const auto& [name, tensor] : found[0])
      EXPECT_TRUE(tensor.equal(found[1].at(name))) << name;
  }
}

/// q_t = mean over p of min over k of 1 - cos(x_p, key_tk), by loops over tasks and images.
std::vector<std::vector<double>> distances_by_definition(const Built& built,
                                                         const at::Tensor& images) {
  const c10::NoGradGuard no_grad;
  const auto plain = built.entry.describe({.taps = {built.settings.analysis_tap}});
  const TorchEngine engine(plain, load_weights(built.entry, plain, {}, built.settings.weights));
  const at::Tensor inputs[] = {images};
  const auto cells = engine.run(inputs)[0].flatten(2).transpose(1, 2).to(at::kDouble);
  const auto unit = [](const at::Tensor& rows) { return rows / rows.norm(2, {-1}, true); };
  std::vector<std::vector<double>> all;
  const auto state = built.method->save();
  for (std::int64_t image = 0; image < images.size(0); ++image) {
    auto& row = all.emplace_back();
    for (const auto& [id, piece] : state.tasks) {
      const auto keys = unit(piece.tensors.at("keys").to(at::kDouble));
      const auto cosines = unit(cells[image]).matmul(keys.t());
      row.push_back((1 - std::get<0>(cosines.max(1))).mean().item<double>());
    }
  }
  return all;
}

TEST(routing, EveryImageOfTheFakeStreamGoesToItsTask) {
  for (const auto& options : {kConvNext, kEfficientNet}) {
    SCOPED_TRACE(options.at("network"));
    const Built built(with(options));
    const FakeStream stream(built.method->info().input);
    for (std::int64_t task = 0; task < FakeStream::kTasks; ++task) {
      built.method->train_task(*stream.training(task), {.seed = 1});
    }
    const auto state = built.method->save();
    for (std::int64_t task = 0; task < FakeStream::kTasks; ++task) {
      const auto images = at::cat({stream.normals(task), stream.defects(task)});
      const auto found = built.method->score(images, {});
      EXPECT_TRUE((*found.task == task).all().item<bool>()) << "task " << task;

      const auto wanted = distances_by_definition(built, images);
      const auto typical = state.tasks.at(task).tensors.at("limits")[0].item<double>();
      for (std::int64_t image = 0; image < images.size(0); ++image) {
        const auto& row = wanted[static_cast<std::size_t>(image)];
        EXPECT_EQ(std::ranges::min_element(row) - row.begin(), task);
        EXPECT_NEAR((*found.task_distance)[image].item<double>() * typical,
                    row[static_cast<std::size_t>(task)], 1e-5);
      }
    }
  }
}

}  // namespace
}  // namespace cadenza::dual_prompt
