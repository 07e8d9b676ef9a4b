#include "cadenza/method/dual_prompt/training_images.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/training_loop.h"
#include "cadenza/dataset/preprocess.h"

namespace cadenza::dual_prompt {
namespace {

at::Tensor joined(const at::Tensor& prefix, const at::Tensor& labels) {
  return at::cat({prefix.flatten(1), labels.to(at::kFloat)}, 1);
}

}  // namespace

TrainingImages::TrainingImages(const PromptedNetwork& network, const DualPromptSettings& settings,
                               const InputSpec& input, const TaskData& data,
                               const TrainContext& context)
    : network_(network),
      input_(input),
      data_(data),
      context_(context),
      labels_(data, {.rows = network.rows(),
                     .columns = network.columns(),
                     .rule = settings.label_rule,
                     .structure = settings.structure}),
      prefixes_(static_cast<std::size_t>(data.size())),
      room_bytes_(settings.cache_mb << 20) {}

void TrainingImages::require_running() const {
  CADENZA_REQUIRE(!context_.stop.stop_requested(), ErrorCode::kCancelled, "training of '",
                  step_name(data_), "' was stopped");
}

at::Tensor TrainingImages::prefix(std::span<const std::int64_t> rows) {
  require_running();
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> found, images;
  std::vector<std::size_t> missing;
  for (const auto row : rows) {
    const auto& kept = prefixes_[static_cast<std::size_t>(row)];
    if (!kept.defined()) {
      missing.push_back(found.size());
      images.push_back(data_.images(row, row + 1));
    }
    found.push_back(kept);
  }
  const auto type = network_.precision() == Precision::kBf16 ? at::kBFloat16 : at::kFloat;
  if (!missing.empty()) {
    const auto computed = network_.start(at::cat(images)).to(type);
    for (std::size_t place = 0; place < missing.size(); ++place) {
      auto& one = found[missing[place]];
      one = computed[static_cast<std::int64_t>(place)];
      const auto n_bytes = static_cast<std::int64_t>(one.nbytes());
      if (n_bytes > room_bytes_) continue;
      room_bytes_ -= n_bytes;
      prefixes_[static_cast<std::size_t>(rows[missing[place]])] = one.clone();
    }
  }
  return at::stack(found).to(at::kFloat);
}

at::Tensor TrainingImages::fed(std::span<const std::int64_t> rows) {
  std::vector<at::Tensor> regions;
  for (const auto row : rows) regions.push_back(labels_.of_image(row));
  return joined(prefix(rows), at::cat(regions));
}

at::Tensor TrainingImages::fed_pixels(const at::Tensor& pixels) const {
  require_running();
  const c10::NoGradGuard no_grad;
  return joined(network_.start(normalised(pixels, input_)), labels_.of_pixels(pixels));
}

at::Tensor TrainingImages::prefix_of(const at::Tensor& fed) const {
  const auto& sizes = network_.prefix_sizes();
  return fed.slice(1, 0, sizes[0] * sizes[1] * sizes[2])
      .reshape({fed.size(0), sizes[0], sizes[1], sizes[2]})
      .contiguous();
}

at::Tensor TrainingImages::labels_of(const at::Tensor& fed) const {
  const auto& sizes = network_.prefix_sizes();
  return fed.slice(1, sizes[0] * sizes[1] * sizes[2]).to(at::kLong);
}

}  // namespace cadenza::dual_prompt
