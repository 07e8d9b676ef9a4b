#include "cadenza/memory/nearest.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>

#include "cadenza/base/error.h"
#include "cadenza/memory/simd.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();

/// Queries below this many multiply-adds are not worth a second thread.
constexpr std::int64_t kSerialWork = 1 << 20;
constexpr std::int64_t kQueryBlock = 8;  ///< of which the kernels take whole ones fastest

}  // namespace

PackedBank::PackedBank(const at::Tensor& rows) {
  require_shape(rows, {kAnySize, kAnySize}, "rows [N,D]");
  const at::Tensor packed = rows.to(at::kFloat).contiguous();
  n_rows_ = packed.size(0);
  dim_ = packed.size(1);
  n_panels_ = (n_rows_ + kPanelRows - 1) / kPanelRows;
  panels_.assign(static_cast<std::size_t>(n_panels_ * dim_ * kPanelRows), 0.0F);
  half_norms_.assign(static_cast<std::size_t>(n_panels_ * kPanelRows), kInfinity);
  const float* values = packed.const_data_ptr<float>();
  for (std::int64_t row = 0; row < n_rows_; ++row) {
    double squares = 0;
    float* panel = panels_.data() + row / kPanelRows * dim_ * kPanelRows + row % kPanelRows;
    for (std::int64_t column = 0; column < dim_; ++column) {
      const float value = values[row * dim_ + column];
      panel[column * kPanelRows] = value;
      squares += double{value} * double{value};
    }
    half_norms_[static_cast<std::size_t>(row)] = static_cast<float>(squares / 2);
  }
}

float PackedBank::distance_to(const float* query, std::int32_t entry) const {
  const float* panel = panels_.data() + entry / kPanelRows * dim_ * kPanelRows + entry % kPanelRows;
  float sums[4] = {0, 0, 0, 0};
  std::int64_t column = 0;
  for (; column + 4 <= dim_; column += 4) {
    for (int lane = 0; lane < 4; ++lane) {
      const float difference = query[column + lane] - panel[(column + lane) * kPanelRows];
      sums[lane] += difference * difference;
    }
  }
  for (; column < dim_; ++column) {
    const float difference = query[column] - panel[column * kPanelRows];
    sums[0] += difference * difference;
  }
  return std::sqrt((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

void PackedBank::search_among(const std::vector<float>& half_norms, std::span<const float> queries,
                              std::span<float> distance, std::span<std::int32_t> entry) const {
  const auto n_queries = static_cast<std::int64_t>(distance.size());
  CADENZA_REQUIRE(static_cast<std::int64_t>(queries.size()) == n_queries * dim_ &&
                      entry.size() == distance.size(),
                  ErrorCode::kInvalidArgument, "queries [M,", dim_, "]: expected ",
                  n_queries * dim_, " numbers for ", n_queries, " distances and ", entry.size(),
                  " entries, got ", queries.size());
  const auto some = [&](std::int64_t first_block, std::int64_t last_block) {
    const std::int64_t first = first_block * kQueryBlock;
    const std::int64_t last = std::min(last_block * kQueryBlock, n_queries);
    const float* rows = queries.data() + first * dim_;
    simd_kernels().nearest(rows, last - first, dim_, panels_.data(), half_norms.data(), n_panels_,
                           distance.data() + first, entry.data() + first);
    for (std::int64_t query = first; query < last; ++query) {
      if (distance[static_cast<std::size_t>(query)] == kInfinity) continue;
      distance[static_cast<std::size_t>(query)] =
          distance_to(queries.data() + query * dim_, entry[static_cast<std::size_t>(query)]);
    }
  };
  const std::int64_t n_blocks = (n_queries + kQueryBlock - 1) / kQueryBlock;
  const std::int64_t block_work = std::max<std::int64_t>(1, kQueryBlock * n_rows_ * dim_);
  at::parallel_for(0, n_blocks, std::max<std::int64_t>(1, kSerialWork / block_work), some);
}

void PackedBank::search(std::span<const float> queries, std::span<float> distance,
                        std::span<std::int32_t> entry) const {
  search_among(half_norms_, queries, distance, entry);
}

void PackedBank::search_without(std::int32_t owner, std::span<const std::int32_t> owners,
                                std::span<const float> queries, std::span<float> distance,
                                std::span<std::int32_t> entry) const {
  CADENZA_REQUIRE(static_cast<std::int64_t>(owners.size()) == n_rows_, ErrorCode::kInvalidArgument,
                  "owners [N]: expected ", n_rows_, ", got ", owners.size());
  std::vector<float> half_norms = half_norms_;
  for (std::size_t row = 0; row < owners.size(); ++row) {
    if (owners[row] == owner) half_norms[row] = kInfinity;
  }
  search_among(half_norms, queries, distance, entry);
}

PackedBank::Found PackedBank::search(const at::Tensor& queries) const {
  require_shape(queries, {kAnySize, dim_}, "queries [M,D]");
  const at::Tensor rows = queries.to(at::kFloat).contiguous();
  const auto n_queries = static_cast<std::size_t>(rows.size(0));
  Found found{at::empty({rows.size(0)}, rows.options()),
              at::empty({rows.size(0)}, rows.options().dtype(at::kInt))};
  search({rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel())},
         {found.distance.mutable_data_ptr<float>(), n_queries},
         {found.entry.mutable_data_ptr<std::int32_t>(), n_queries});
  return found;
}

}  // namespace cadenza
