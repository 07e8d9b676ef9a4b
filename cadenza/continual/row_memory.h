#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <string>

#include <ATen/core/Tensor.h>

#include "cadenza/base/rng.h"
#include "cadenza/continual/strategy.h"

namespace cadenza {

/// Rows of earlier batches as the network was fed them, each with what the network answered then
/// (or with nothing). At most `capacity` of them.
///
/// A row is float32 [3,H,W]: 300 KB at 160 px. What is kept of raw pictures is `replay`'s.
class RowMemory {
 public:
  RowMemory(std::int64_t capacity, std::string owner)
      : capacity_(capacity), owner_(std::move(owner)) {}

  std::int64_t size() const noexcept;

  /// What the network answers to rows, [n,K]; called for the rows that are kept alone.
  using Answer = std::function<at::Tensor(const Batch& rows)>;

  /// Offers every row of `batch` to the reservoir (see reservoir_slot()).
  void offer(const Batch& batch, const Answer& answer, Rng& rng);
  /// Keeps the first `n` rows that stand here, drops the others.
  void shrink(std::int64_t n);
  /// Puts rows behind the others. Errors: kInternal beyond the capacity.
  void append_rows(const Batch& batch, const at::Tensor& answers);

  struct Draw {
    Batch batch;
    at::Tensor answers;
  };
  /// At most `n` rows, without replacement.
  Draw draw(std::int64_t n, Rng& rng) const;

  StatePiece save() const;
  /// Errors: kCorruptData (a key is missing or unknown, rows differ in number).
  void load(const StatePiece& state);

 private:
  enum Field : std::size_t { kImages, kPixels, kLabels, kTask, kAnswers, kFields };
  using Fields = std::array<at::Tensor, kFields>;  // undefined: the batches have no such thing
  static Fields fields_of(const Batch& batch, const at::Tensor& answers);
  void put(std::int64_t slot, const Fields& from, std::int64_t row);

  std::int64_t capacity_;
  std::string owner_;
  std::int64_t n_seen_ = 0;
  Fields rows_;
};

/// What distillation compares: class scores where the method has a classifier and `prefers_logits`,
/// else embeddings. Errors: kUnsupported naming `owner` when the method shows neither.
std::function<at::Tensor(const Batch&)> answers_of(const TrainableView& view, bool prefers_logits,
                                                   const std::string& owner);

/// The rows of the current step's batch that are of the step itself and, with `labels` "normal",
/// those of class 0 alone.
Batch fresh_rows(const Batch& batch, const std::string& labels);

}  // namespace cadenza
