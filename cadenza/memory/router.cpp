#include "cadenza/memory/router.h"

#include <numeric>

#include <ATen/Parallel.h>

#include "cadenza/base/error.h"

namespace cadenza {

Route route(std::span<const PackedBank* const> banks, std::span<const float> queries) {
  CADENZA_REQUIRE(!banks.empty() && !queries.empty(), ErrorCode::kInvalidArgument,
                  "routing needs at least one bank and one vector");
  const std::size_t n_queries = queries.size() / static_cast<std::size_t>(banks[0]->dim());
  std::vector<float> distances(banks.size() * n_queries);
  const auto of_bank = [&](std::size_t bank) {
    return std::span(distances).subspan(bank * n_queries, n_queries);
  };
  const auto search = [&](std::int64_t first, std::int64_t last) {
    std::vector<std::int32_t> entries(n_queries);
    for (std::int64_t bank = first; bank < last; ++bank) {
      const auto index = static_cast<std::size_t>(bank);
      banks[index]->search(queries, of_bank(index), entries);
    }
  };
  // A single bank is split by its queries instead.
  if (banks.size() == 1) {
    search(0, 1);
  } else {
    at::parallel_for(0, static_cast<std::int64_t>(banks.size()), /*grain_size=*/1, search);
  }

  Route best;
  for (std::size_t bank = 0; bank < banks.size(); ++bank) {
    const auto of = of_bank(bank);
    const double sum = std::accumulate(of.begin(), of.end(), 0.0);
    best.all.push_back(sum / static_cast<double>(n_queries));
    if (best.all[bank] < best.all[best.bank]) best.bank = bank;
  }
  best.distance = best.all[best.bank];
  const auto winner = of_bank(best.bank);
  best.nearest.assign(winner.begin(), winner.end());
  return best;
}

}  // namespace cadenza
