#pragma once

#include <string>
#include <vector>

#include <ATen/ATen.h>

#include "cadenza/continual/strategy.h"

namespace cadenza {

/// z = W x + b with three inputs and two classes: the model of the specification's vector TV-8, as
/// a trainable view, in double precision. "Images" are row numbers of `rows`.
class LinearModel {
 public:
  LinearModel()
      : weight(at::tensor({.2, -.1, .4, -.3, .5, .1}, at::kDouble).view({2, 3}).clone()),
        bias(at::tensor({.05, -.05}, at::kDouble).clone()),
        rows(at::tensor({1., 0., 2., .5, -1., 0., -1., 2., 1., 0., 1., -1.}, at::kDouble)
                 .view({4, 3})
                 .clone()),
        labels(at::tensor({0, 0, 1, 1}, at::kLong)) {
    weight.set_requires_grad(true);
    bias.set_requires_grad(true);
  }

  at::Tensor logits(const Batch& batch) const { return batch.images.matmul(weight.t()) + bias; }
  at::Tensor sample_losses(const Batch& batch) const {
    return -logits(batch).log_softmax(1).gather(1, batch.labels.unsqueeze(1)).squeeze(1);
  }
  Batch batch(const at::Tensor& which) const {
    return {.images = rows.index_select(0, which),
            .pixels = which.view({-1, 1, 1, 1}).to(at::kByte),
            .labels = labels.index_select(0, which),
            .task = at::zeros_like(which),
            .n_fresh = which.size(0)};
  }
  Batch whole() const { return batch(at::arange(4, at::kLong)); }

  TrainableView view() {
    return {.names = {"weight", "bias"},
            .parameters = {weight, bias},
            .logits = [this](const Batch& b) { return logits(b); },
            .embeddings = [](const Batch& b) { return b.images; },
            .loss = [this](const Batch& b) { return sample_losses(b).mean(); },
            .sample_losses = [this](const Batch& b) { return sample_losses(b); },
            .batch_from_pixels =
                [this](const at::Tensor& pixels, const at::Tensor&) {
                  return batch(pixels.view({-1}).to(at::kLong));
                },
            .layer_input =
                [](const std::string& name, const Batch& b) {
                  return name == "weight" ? b.images.t() : at::Tensor();
                }};
  }

  at::Tensor weight, bias, rows, labels;
};

/// The four rows as a task whose "pixels" are the row numbers.
class LinearTask final : public TaskData {
 public:
  explicit LinearTask(TaskId id = 0) : tasks_{{id, "linear"}} {}
  std::span<const TaskRef> tasks() const noexcept override { return tasks_; }
  std::int64_t size() const noexcept override { return 4; }
  at::Tensor images(std::int64_t first, std::int64_t last) const override {
    return at::zeros({last - first, 3, 1, 1});
  }
  at::Tensor pixels(std::int64_t first, std::int64_t last) const override {
    return at::arange(first, last, at::kLong).view({-1, 1, 1, 1}).to(at::kByte);
  }
  at::Tensor task(std::int64_t first, std::int64_t last) const override {
    return at::zeros({last - first}, at::kLong);
  }
  std::string_view digest(std::int64_t) const override { return "none"; }

 private:
  std::vector<TaskRef> tasks_;
};

}  // namespace cadenza
