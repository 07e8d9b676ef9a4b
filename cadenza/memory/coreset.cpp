// Greedy k-center with lazy minima. A row's minimum is its squared distance to the nearest pick;
// picks only lower it, so a minimum that has missed some picks is an upper bound.
//
// 1. Bring the minima of all rows up to date with the picks they have missed: one reading of all
//    rows for many picks.
// 2. Take aside the front: the rows with the largest minima. The largest of the others is a bound
//    that no row outside the front can exceed.
// 3. Pick the farthest row of the front and lower the front's minima, as long as that row is
//    farther than the bound. Then go to 1.
//
// The distance of a row and a pick is the same number wherever it is taken, so the picks are those
// of the plain algorithm, ties included.
#include "cadenza/memory/coreset.h"

#include <algorithm>
#include <cstring>
#include <limits>
#include <numeric>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "cadenza/base/error.h"
#include "cadenza/memory/simd.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

/// A row and its distance, in the order of picking: farther first, then the lower index.
struct Far {
  float squared = -1;
  std::int64_t row = -1;
  bool before(const Far& other) const {
    return squared != other.squared ? squared > other.squared : row < other.row;
  }
};

/// The rows with the largest minima, copied together so that they stay in the cache.
struct Front {
  std::vector<std::int64_t> rows;
  std::vector<float> values;  ///< [rows,D]
  std::vector<float> minima;
  Far bound;  ///< the farthest row outside; squared -1 when there is none

  Far farthest() const {
    Far far;
    for (std::size_t k = 0; k < rows.size(); ++k) {
      if (const Far other{minima[k], rows[k]}; other.before(far)) far = other;
    }
    return far;
  }
};

class KCenter {
 public:
  KCenter(const float* rows, std::int64_t n_rows, std::int64_t dim)
      : rows_(rows),
        n_rows_(n_rows),
        dim_(dim),
        minima_(static_cast<std::size_t>(n_rows), std::numeric_limits<float>::infinity()),
        order_(static_cast<std::size_t>(n_rows)) {}

  void pick(std::int64_t row) {
    picked_.push_back(row);
    const float* values = rows_ + row * dim_;
    missed_.insert(missed_.end(), values, values + dim_);
    simd_kernels().lower_minima(front_.values.data(), static_cast<std::int64_t>(front_.rows.size()),
                                dim_, values, 1, front_.minima.data());
  }

  /// Steps 1 and 2.
  void renew_front() {
    const std::int64_t n_missed = static_cast<std::int64_t>(missed_.size()) / dim_;
    at::parallel_for(0, n_rows_, /*grain_size=*/256, [&](std::int64_t first, std::int64_t last) {
      simd_kernels().lower_minima(rows_ + first * dim_, last - first, dim_, missed_.data(),
                                  n_missed, minima_.data() + first);
    });
    missed_.clear();

    const std::int64_t n_front = std::min(n_rows_, std::max(kLeastFront, n_rows_ / 16));
    std::iota(order_.begin(), order_.end(), std::int64_t{0});
    const auto is_before = [&](std::int64_t a, std::int64_t b) { return far(a).before(far(b)); };
    front_.bound = {};
    if (n_front < n_rows_) {
      const auto outside = order_.begin() + n_front;
      std::nth_element(order_.begin(), outside, order_.end(), is_before);
      front_.bound = far(*outside);
    }
    front_.rows.assign(order_.begin(), order_.begin() + n_front);
    front_.values.resize(static_cast<std::size_t>(n_front * dim_));
    front_.minima.resize(static_cast<std::size_t>(n_front));
    for (std::int64_t k = 0; k < n_front; ++k) {
      const std::int64_t row = front_.rows[static_cast<std::size_t>(k)];
      std::memcpy(front_.values.data() + k * dim_, rows_ + row * dim_,
                  static_cast<std::size_t>(dim_) * sizeof(float));
      front_.minima[static_cast<std::size_t>(k)] = minima_[static_cast<std::size_t>(row)];
    }
  }

  Far farthest() const { return front_.farthest(); }
  /// Whether no row outside the front can come before `candidate`.
  bool is_certain(const Far& candidate) const { return candidate.before(front_.bound); }
  const std::vector<std::int64_t>& picked() const { return picked_; }

 private:
  static constexpr std::int64_t kLeastFront = 1024;
  Far far(std::int64_t row) const { return {minima_[static_cast<std::size_t>(row)], row}; }

  const float* rows_;
  std::int64_t n_rows_, dim_;
  std::vector<float> minima_;
  std::vector<std::int64_t> order_, picked_;
  std::vector<float> missed_;  ///< values of the picks that minima_ has not seen
  Front front_;
};

}  // namespace

std::vector<std::int64_t> select_coreset(const at::Tensor& rows, std::int64_t k,
                                         const CoresetOptions& options, const std::stop_token& stop,
                                         Progress& progress) {
  require_shape(rows, {kAnySize, kAnySize}, "rows [M,D]");
  const std::int64_t n_rows = rows.size(0);
  CADENZA_REQUIRE(k >= 1 && k <= n_rows, ErrorCode::kInvalidArgument, "k = ", k, ": not in [1, ",
                  n_rows, "], the rows to pick from");
  CADENZA_REQUIRE(options.first >= 0 && options.first < n_rows, ErrorCode::kInvalidArgument,
                  "first = ", options.first, ": not in [0, ", n_rows, ")");
  const at::Tensor packed = rows.to(at::kFloat).contiguous();
  CADENZA_REQUIRE(at::isfinite(packed.sum()).item<bool>(), ErrorCode::kNumeric,
                  "rows [M,D]: a value is not finite");

  KCenter center(packed.const_data_ptr<float>(), n_rows, packed.size(1));
  center.pick(options.first);
  progress.advance(1);
  bool is_covered = false;
  while (!is_covered && static_cast<std::int64_t>(center.picked().size()) < k) {
    center.renew_front();
    while (static_cast<std::int64_t>(center.picked().size()) < k) {
      CADENZA_REQUIRE(!stop.stop_requested(), ErrorCode::kCancelled, "the coreset was cancelled");
      const Far next = center.farthest();
      if (!center.is_certain(next)) break;
      is_covered = next.squared <= options.nearest_squared;
      if (is_covered) break;
      center.pick(next.row);
      progress.advance(1);
    }
  }
  return center.picked();
}

}  // namespace cadenza
