#include "cadenza/continual/ewc/fisher.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/sample_gradients.h"

namespace cadenza {

namespace {

/// Adds squared gradients and counts what they were made of.
struct Sum {
  explicit Sum(std::span<const at::Tensor> parameters) {
    for (const auto& parameter : parameters) squares.push_back(at::zeros_like(parameter.detach()));
  }
  void add(const std::vector<at::Tensor>& gradients, double weight) {
    for (std::size_t index = 0; index < squares.size(); ++index) {
      squares[index].add_(gradients[index].square(), weight);
    }
  }
  std::vector<at::Tensor> squares;
  std::int64_t n_terms = 0;
};

// Rows are independent in evaluation mode, so each is run alone: a pass back through a whole batch
// for every one of its rows would cost the square.
void add_sample_terms(const Batch& batch, const TrainableView& view, Sum& sum) {
  for (std::int64_t row = 0; row < batch.images.size(0); ++row, ++sum.n_terms) {
    const at::Tensor losses = view.sample_losses(slice(batch, row, row + 1));
    sum.add(gradients_of(losses.sum(), view.parameters), 1);
  }
}

void add_model_terms(const Batch& batch, const TrainableView& view, Sum& sum) {
  for (std::int64_t row = 0; row < batch.images.size(0); ++row, ++sum.n_terms) {
    const at::Tensor log_probability = view.logits(slice(batch, row, row + 1)).log_softmax(1)[0];
    const std::int64_t n_classes = log_probability.size(0);
    for (std::int64_t label = 0; label < n_classes; ++label) {
      const at::Tensor term = log_probability[label];
      const bool is_last = label + 1 == n_classes;
      sum.add(gradients_of(term, view.parameters, !is_last), term.exp().item<double>());
    }
  }
}

}  // namespace

std::vector<at::Tensor> fisher_information(const TaskData& data, const TrainableView& view,
                                           FisherKind kind, std::int64_t n_images,
                                           std::int64_t batch_size, std::uint64_t seed) {
  CADENZA_REQUIRE(kind != FisherKind::kSample || view.sample_losses != nullptr,
                  ErrorCode::kUnsupported,
                  "fisher=sample: this method's loss is not a mean over rows; use fisher=batch");
  CADENZA_REQUIRE(kind != FisherKind::kModel || view.logits != nullptr, ErrorCode::kUnsupported,
                  "fisher=model: this method has no classifier; use fisher=batch");
  Sum sum(view.parameters);
  for_sampled_batches(data, view, n_images, batch_size, seed, [&](const Batch& batch) {
    switch (kind) {
      case FisherKind::kSample:
        return add_sample_terms(batch, view, sum);
      case FisherKind::kModel:
        return add_model_terms(batch, view, sum);
      case FisherKind::kBatch:
        sum.add(gradients_of(view.loss(batch), view.parameters), 1);
        ++sum.n_terms;
    }
  });
  for (auto& squares : sum.squares) squares.div_(double(std::max<std::int64_t>(sum.n_terms, 1)));
  return sum.squares;
}

}  // namespace cadenza
