#include "cadenza/continual/sample_gradients.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"

namespace cadenza {

std::vector<at::Tensor> gradients_of(const at::Tensor& loss, std::span<const at::Tensor> parameters,
                                     bool keep_graph) {
  std::vector<at::Tensor> before;
  for (const auto& parameter : parameters) {
    before.push_back(parameter.grad());
    parameter.mutable_grad() = at::Tensor();
  }
  loss.backward({}, keep_graph);
  std::vector<at::Tensor> gradients;
  for (std::size_t index = 0; index < parameters.size(); ++index) {
    const auto& parameter = parameters[index];
    gradients.push_back(parameter.grad().defined() ? parameter.grad()
                                                   : at::zeros_like(parameter.detach()));
    parameter.mutable_grad() = before[index];
  }
  return gradients;
}

void for_sampled_batches(const TaskData& data, const TrainableView& view, std::int64_t n_images,
                         std::int64_t batch_size, std::uint64_t seed,
                         const std::function<void(const Batch&)>& visit) {
  CADENZA_REQUIRE(view.batch_from_pixels != nullptr, ErrorCode::kUnsupported,
                  "this method cannot make batches from stored images");
  std::string stream = "samples";
  for (const auto& task : data.tasks()) stream += "/" + task.name;
  Rng rng(seed, stream);
  const auto chosen = rng.sample_sorted(data.size(), n_images);
  for (std::size_t first = 0; first < chosen.size(); first += std::size_t(batch_size)) {
    std::vector<at::Tensor> pixels, task;
    const auto last = std::min(chosen.size(), first + std::size_t(batch_size));
    for (std::size_t at = first; at < last; ++at) {
      pixels.push_back(data.pixels(chosen[at], chosen[at] + 1));
      const auto which = data.task(chosen[at], chosen[at] + 1).item<std::int64_t>();
      task.push_back(at::full({1}, data.tasks()[std::size_t(which)].id, at::kLong));
    }
    visit(view.batch_from_pixels(at::cat(pixels), at::cat(task)));
  }
}

}  // namespace cadenza
