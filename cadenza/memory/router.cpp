#include "cadenza/memory/router.h"

#include <algorithm>
#include <numeric>

#include <ATen/Parallel.h>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

/// Queries that are compared with every bank before any is preferred: whole kernel blocks.
constexpr std::size_t kFirstQueries = 16;
constexpr std::size_t kMoreQueries = 8;

/// One bank's distances, query after query.
class Candidate {
 public:
  Candidate(const PackedBank& bank, std::span<const float> queries)
      : bank_(bank), queries_(queries) {
    const auto n_queries = queries.size() / static_cast<std::size_t>(bank.dim());
    nearest_.resize(n_queries);
    entries_.resize(n_queries);
  }

  void search_to(std::size_t end) {
    const auto dim = static_cast<std::size_t>(bank_.dim());
    end = std::min(end, nearest_.size());
    bank_.search(queries_.subspan(done_ * dim, (end - done_) * dim),
                 std::span(nearest_).subspan(done_, end - done_),
                 std::span(entries_).subspan(done_, end - done_));
    sum_ = std::accumulate(nearest_.begin() + static_cast<std::ptrdiff_t>(done_),
                           nearest_.begin() + static_cast<std::ptrdiff_t>(end), sum_);
    done_ = end;
  }
  /// Distances only add up: once above `limit` the rest cannot bring the sum back.
  void search_below(double limit) {
    while (done_ < nearest_.size() && sum_ <= limit) search_to(done_ + kMoreQueries);
  }

  double sum() const { return sum_; }
  std::vector<float> take_nearest() { return std::move(nearest_); }

 private:
  const PackedBank& bank_;
  std::span<const float> queries_;
  std::vector<float> nearest_;
  std::vector<std::int32_t> entries_;
  std::size_t done_ = 0;
  double sum_ = 0;
};

}  // namespace

Route route(std::span<const PackedBank* const> banks, std::span<const float> queries) {
  CADENZA_REQUIRE(!banks.empty() && !queries.empty(), ErrorCode::kInvalidArgument,
                  "routing needs at least one bank and one vector");
  std::vector<Candidate> candidates;
  for (const auto* bank : banks) candidates.emplace_back(*bank, queries);
  const auto with_each = [&](const auto& search) {
    at::parallel_for(0, std::ssize(candidates), /*grain_size=*/1, [&](auto first, auto last) {
      for (auto index = first; index < last; ++index) {
        search(candidates[static_cast<std::size_t>(index)]);
      }
    });
  };
  // The bank that leads early is searched to its end; its sum is the limit of all others.
  if (candidates.size() > 1) {
    with_each([](Candidate& candidate) { candidate.search_to(kFirstQueries); });
  }
  const auto n_queries = queries.size() / static_cast<std::size_t>(banks[0]->dim());
  const auto leader = std::ranges::min_element(candidates, {}, &Candidate::sum);
  leader->search_to(n_queries);
  if (candidates.size() > 1) {
    with_each([limit = leader->sum()](Candidate& candidate) { candidate.search_below(limit); });
  }

  const auto winner = std::ranges::min_element(candidates, {}, &Candidate::sum);
  return {.bank = static_cast<std::size_t>(winner - candidates.begin()),
          .distance = winner->sum() / static_cast<double>(n_queries),
          .nearest = winner->take_nearest()};
}

}  // namespace cadenza
