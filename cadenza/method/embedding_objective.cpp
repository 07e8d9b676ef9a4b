#include "cadenza/method/embedding_objective.h"

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "cadenza/dataset/preprocess.h"
#include "cadenza/image/cutpaste.h"
#include "cadenza/tensor/picture.h"

namespace cadenza {

namespace {

/// Calls `make(image, rng, index)` for every picture on all threads; each has a stream of its own.
template <class Make>
void for_every_picture(const at::Tensor& pixels, Rng& rng, const Make& make) {
  std::vector<std::uint64_t> seeds;
  for (std::int64_t image = 0; image < pixels.size(0); ++image) seeds.push_back(rng.bits());
  at::parallel_for(0, pixels.size(0), 1, [&](std::int64_t first, std::int64_t last) {
    for (std::int64_t image = first; image < last; ++image) {
      Rng own(seeds[static_cast<std::size_t>(image)], "augmentation");
      make(image_of(pixels[image].contiguous()), own, image);
    }
  });
}

class PairObjective final : public EmbeddingObjective {
 public:
  PairObjective(PairLoss loss, bool varies) : loss_(loss), varies_(varies) {}

  Batch rows(const at::Tensor& pixels, const at::Tensor& task, const InputSpec& input,
             Rng& rng) const override {
    const auto n = pixels.size(0);
    at::Tensor both = at::empty({2 * n, pixels.size(1), pixels.size(2), 3}, at::kByte);
    std::vector<HiddenCells> hidden(static_cast<std::size_t>(n));
    for_every_picture(pixels, rng, [&](const Image& image, Rng& own, std::int64_t at) {
      const auto which = varies_ ? own.below(3) : 0;
      const auto twins = which == 1   ? cutpaste_scar(image, own)
                         : which == 2 ? masked_twins(image, own, hidden[std::size_t(at)])
                                      : cutpaste(image, own);
      both[at].copy_(tensor_of(twins.normal));
      both[n + at].copy_(tensor_of(twins.broken));
    });
    auto images = normalised(both, input);
    for (std::int64_t at = 0; at < n; ++at) {
      const auto& cells = hidden[std::size_t(at)];
      if (!cells.cells.empty()) hide(images[n + at], both[n + at], cells);
    }
    return {.images = images,
            .pixels = {},
            .labels = at::cat({at::zeros({n}, at::kLong), at::ones({n}, at::kLong)}),
            .task = at::cat({task, task})};
  }

  std::int64_t n_classes() const noexcept override { return 2; }
  bool needs_centre() const noexcept override { return false; }

  at::Tensor row_losses(const at::Tensor&, const at::Tensor& logits, const at::Tensor& labels,
                        const at::Tensor&) const override {
    const auto scores = loss_ == PairLoss::kOfSoftmax ? logits.softmax(1) : logits;
    return -scores.log_softmax(1).gather(1, labels.unsqueeze(1)).squeeze(1);
  }

 private:
  static TwinImages masked_twins(const Image& image, Rng& rng, HiddenCells& cells) {
    const auto normal = weakly_augmented(image, rng);
    cells = hide_cells(image.height_px, image.width_px, rng);
    return {.normal = normal, .broken = normal};
  }

  /// As the program has it: the masked twin is fed in [0, 1] instead of normalised, hidden cells 0.
  static void hide(const at::Tensor& row, const at::Tensor& pixels, const HiddenCells& hidden) {
    row.copy_(pixels.permute({2, 0, 1}).to(at::kFloat).div(255));
    const auto n_across = row.size(2) / hidden.cell_width_px;
    for (const auto cell : hidden.cells) {
      const auto top = cell / n_across * hidden.cell_height_px;
      const auto left = cell % n_across * hidden.cell_width_px;
      row.slice(1, top, top + hidden.cell_height_px)
          .slice(2, left, left + hidden.cell_width_px)
          .zero_();
    }
  }

  PairLoss loss_;
  bool varies_;
};

class CompactObjective final : public EmbeddingObjective {
 public:
  Batch rows(const at::Tensor& pixels, const at::Tensor& task, const InputSpec& input,
             Rng& rng) const override {
    at::Tensor augmented = at::empty_like(pixels);
    for_every_picture(pixels, rng, [&](const Image& image, Rng& own, std::int64_t at) {
      augmented[at].copy_(tensor_of(weakly_augmented(image, own)));
    });
    return {.images = normalised(augmented, input), .pixels = {}, .labels = {}, .task = task};
  }

  std::int64_t n_classes() const noexcept override { return 0; }
  bool needs_centre() const noexcept override { return true; }

  at::Tensor row_losses(const at::Tensor& embeddings, const at::Tensor&, const at::Tensor&,
                        const at::Tensor& centre) const override {
    return (embeddings - centre).square().mean(1);
  }
};

}  // namespace

std::unique_ptr<EmbeddingObjective> make_pair_objective(PairLoss loss, bool varies) {
  return std::make_unique<PairObjective>(loss, varies);
}

std::unique_ptr<EmbeddingObjective> make_compact_objective() {
  return std::make_unique<CompactObjective>();
}

}  // namespace cadenza
