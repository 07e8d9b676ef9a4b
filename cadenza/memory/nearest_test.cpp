#include "cadenza/memory/nearest.h"

#include <cmath>
#include <limits>
#include <thread>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <gtest/gtest.h>

#include "cadenza/base/error.h"
#include "cadenza/memory/router.h"
#include "cadenza/memory/simd.h"
#include "cadenza/tensor/distance.h"

namespace cadenza {
namespace {

std::span<const float> values_of(const at::Tensor& rows) {
  return {rows.const_data_ptr<float>(), static_cast<std::size_t>(rows.numel())};
}

std::span<const std::int32_t> numbers_of(const at::Tensor& numbers) {
  return {numbers.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(numbers.numel())};
}

/// The definition, in double: all distances [M,N].
at::Tensor all_distances(const at::Tensor& queries, const at::Tensor& rows) {
  return (queries.to(at::kDouble).unsqueeze(1) - rows.to(at::kDouble).unsqueeze(0)).norm(2, {2});
}

TEST(PackedBank, FindsTheNearestEntryForAnySize) {
  std::uint64_t seed = 0;
  for (const std::int64_t n_rows : {1, 31, 32, 33, 500}) {
    for (const std::int64_t dim : {1, 7, 16, 80}) {
      for (const std::int64_t n_queries : {1, 8, 13}) {
        const at::Tensor rows = random_tensor({n_rows, dim}, ++seed);
        const at::Tensor queries = random_tensor({n_queries, dim}, ++seed);
        const auto found = PackedBank(rows).search(queries);
        const auto [distance, entry] = all_distances(queries, rows).min(1);
        EXPECT_TRUE(found.distance.to(at::kDouble).allclose(distance, 1e-5, 1e-5))
            << n_rows << " " << dim << " " << n_queries;
        EXPECT_TRUE(found.entry.to(at::kLong).equal(entry)) << n_rows << " " << dim;
      }
    }
  }
}

TEST(PackedBank, AgreesWithTheMatrixProductPath) {
  const at::Tensor rows = random_unit_rows(300, 112, 1), queries = random_unit_rows(256, 112, 2);
  const auto found = PackedBank(rows).search(queries);
  const Neighbours reference = nearest_rows(queries, rows, 1);
  EXPECT_TRUE(found.distance.allclose(reference.distance.squeeze(1), 1e-5, 1e-5));
  EXPECT_TRUE(found.entry.to(at::kLong).equal(reference.index.squeeze(1)));
}

TEST(PackedBank, AnEntryIsAtDistanceExactlyZeroFromItself) {
  const at::Tensor rows = random_unit_rows(100, 320, 3);
  const auto found = PackedBank(rows).search(rows);
  EXPECT_EQ(found.distance.max().item<float>(), 0);
  EXPECT_TRUE(found.entry.equal(at::arange(100, at::kInt)));
}

TEST(PackedBank, OfEqualEntriesTheFirstIsFound) {
  const at::Tensor row = random_unit_rows(1, 24, 4);
  const at::Tensor rows = at::cat({random_unit_rows(40, 24, 5), row, row, row.repeat({40, 1})});
  EXPECT_EQ(PackedBank(rows).search(row).entry.item<int>(), 40);
}

TEST(PackedBank, AQuerysAnswerDoesNotDependOnItsCompanyOrTheThreads) {
  const at::Tensor rows = random_unit_rows(500, 80, 6), queries = random_unit_rows(700, 80, 7);
  const PackedBank bank(rows);
  const auto together = bank.search(queries);
  for (const std::int64_t query : {0, 1, 350, 699}) {
    const auto alone = bank.search(queries.slice(0, query, query + 1));
    EXPECT_TRUE(alone.distance.equal(together.distance.slice(0, query, query + 1)));
  }
  const int n_threads = at::get_num_threads();
  at::set_num_threads(1);
  EXPECT_TRUE(bank.search(queries).distance.equal(together.distance));
  at::set_num_threads(n_threads);
  at::Tensor from_thread;
  std::thread([&] { from_thread = bank.search(queries).distance; }).join();
  EXPECT_TRUE(from_thread.equal(together.distance));
}

TEST(PackedBank, BothInstructionSetsFindTheSame) {
  if (__builtin_cpu_supports("avx512f") == 0) GTEST_SKIP() << "this processor has no AVX-512";
  const std::int64_t dim = 37, n_panels = 3, n_queries = 21;
  const at::Tensor panels = random_tensor({n_panels, dim, kPanelRows}, 8);
  const at::Tensor norms = panels.square().sum(1).flatten() / 2;
  const at::Tensor queries = random_tensor({n_queries, dim}, 9);
  std::vector<float> smallest[2], minima[2];
  std::vector<std::int32_t> entry[2];
  const SimdKernels kernels[2] = {avx2_kernels(), avx512_kernels()};
  for (int set = 0; set < 2; ++set) {
    smallest[set].resize(n_queries);
    entry[set].resize(n_queries);
    kernels[set].nearest(queries.const_data_ptr<float>(), n_queries, dim,
                         panels.const_data_ptr<float>(), norms.const_data_ptr<float>(), n_panels,
                         smallest[set].data(), entry[set].data());
    minima[set].assign(n_queries, std::numeric_limits<float>::infinity());
    kernels[set].lower_minima(queries.const_data_ptr<float>(), n_queries, dim,
                              queries.const_data_ptr<float>(), 6, minima[set].data());
  }
  EXPECT_EQ(smallest[0], smallest[1]);
  EXPECT_EQ(entry[0], entry[1]);
  for (std::size_t query = 0; query < minima[0].size(); ++query) {
    EXPECT_NEAR(minima[0][query], minima[1][query], 1e-4);
  }
}

TEST(PackedBank, LeavesOutTheEntriesOfAnOwner) {
  const at::Tensor rows = random_unit_rows(90, 16, 10), queries = random_unit_rows(20, 16, 11);
  const at::Tensor owners = at::arange(90, at::kInt).remainder(3).to(at::kInt);
  const PackedBank bank(rows);
  std::vector<float> distance(20);
  std::vector<std::int32_t> entry(20);
  bank.search_without(1, numbers_of(owners), values_of(queries), distance, entry);
  const at::Tensor others = rows.index_select(0, owners.ne(1).nonzero().flatten());
  const auto by_definition = std::get<0>(all_distances(queries, others).min(1));
  const auto plain = bank.search(queries);
  for (std::int64_t query = 0; query < 20; ++query) {
    const float left_out = distance[static_cast<std::size_t>(query)];
    EXPECT_NEAR(left_out, by_definition[query].item<double>(), 1e-5);
    EXPECT_GE(left_out, plain.distance[query].item<float>() - 1e-6F);
    EXPECT_NE(entry[static_cast<std::size_t>(query)] % 3, 1);
  }
}

TEST(PackedBank, HasNoNeighbourWhereNothingIsLeft) {
  const at::Tensor rows = random_unit_rows(5, 8, 12);
  const std::vector<std::int32_t> owners(5, 7);
  std::vector<float> distance(5);
  std::vector<std::int32_t> entry(5);
  PackedBank(rows).search_without(7, owners, values_of(rows), distance, entry);
  for (const float d : distance) EXPECT_EQ(d, std::numeric_limits<float>::infinity());
  const auto none = PackedBank(rows.slice(0, 0, 0)).search(rows);
  EXPECT_TRUE(none.distance.isinf().all().item<bool>());
}

TEST(PackedBank, MoreEntriesNeverRaiseADistance) {
  const at::Tensor rows = random_unit_rows(200, 20, 13), queries = random_unit_rows(50, 20, 14);
  at::Tensor previous = at::full({50}, 10.0F);
  for (const std::int64_t n_rows : {1, 10, 64, 65, 200}) {
    const at::Tensor distance = PackedBank(rows.slice(0, 0, n_rows)).search(queries).distance;
    EXPECT_TRUE((distance <= previous + 1e-6).all().item<bool>()) << n_rows;
    previous = distance;
  }
}

TEST(PackedBank, NamesSizesThatDoNotFit) {
  const PackedBank bank(random_unit_rows(5, 8, 15));
  EXPECT_EQ(error_of([&] { bank.search(random_unit_rows(5, 9, 16)); }).code(),
            ErrorCode::kInvalidArgument);
  std::vector<float> queries(8), distance(2);
  std::vector<std::int32_t> entry(2), owners(4);
  EXPECT_EQ(error_of([&] { bank.search(queries, distance, entry); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { bank.search_without(0, owners, queries, distance, entry); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(Route, GoesToTheBankOfTheSmallestMeanDistance) {
  std::vector<PackedBank> banks;
  std::vector<at::Tensor> rows;
  for (std::uint64_t task = 0; task < 5; ++task) {
    rows.push_back(random_unit_rows(30 + static_cast<std::int64_t>(task), 12, 20 + task));
    banks.emplace_back(rows.back());
  }
  std::vector<const PackedBank*> pointers;
  for (const auto& bank : banks) pointers.push_back(&bank);
  const at::Tensor queries = rows[3].slice(0, 0, 16) + 0.05 * random_tensor({16, 12}, 30);
  const Route found = route(pointers, values_of(queries));
  EXPECT_EQ(found.bank, 3U);
  const at::Tensor nearest = std::get<0>(all_distances(queries, rows[3]).min(1));
  EXPECT_NEAR(found.distance, nearest.mean().item<double>(), 1e-5);
  const at::Tensor residuals = banks[3].search(queries).distance;
  EXPECT_TRUE(at::tensor(found.nearest).equal(residuals));

  // Alone or among others, a bank's distance has the same bits; of equal banks the older wins.
  EXPECT_EQ(route({&pointers[3], 1}, values_of(queries)).distance, found.distance);
  const std::vector<const PackedBank*> twins = {&banks[1], &banks[3], &banks[3]};
  EXPECT_EQ(route(twins, values_of(queries)).bank, 1U);
  EXPECT_EQ(error_of([&] { route({}, values_of(queries)); }).code(), ErrorCode::kInvalidArgument);
}

TEST(Route, WinsAsIfNoBankHadBeenDropped) {
  // The first vectors favour one bank, the rest another; random mixtures of both.
  constexpr std::int64_t kQueries = 40;
  for (std::uint64_t trial = 0; trial < 20; ++trial) {
    std::vector<PackedBank> banks;
    std::vector<at::Tensor> rows;
    for (std::uint64_t task = 0; task < 3; ++task) {
      rows.push_back(random_unit_rows(30, 12, 100 * trial + task));
      banks.emplace_back(rows.back());
    }
    at::Tensor queries = random_unit_rows(kQueries, 12, 100 * trial + 50);
    const auto n_decoys = static_cast<std::int64_t>(trial * 2);
    queries.slice(0, 0, n_decoys) = rows[0].slice(0, 0, 1);
    queries.slice(0, n_decoys, n_decoys + 1) = rows[2].slice(0, 0, 1);
    std::vector<double> means;
    std::vector<const PackedBank*> pointers;
    for (std::size_t task = 0; task < banks.size(); ++task) {
      pointers.push_back(&banks[task]);
      means.push_back(std::get<0>(all_distances(queries, rows[task]).min(1)).mean().item<double>());
    }
    const Route found = route(pointers, values_of(queries));
    const auto wanted = std::ranges::min_element(means);
    EXPECT_EQ(found.bank, static_cast<std::size_t>(wanted - means.begin())) << "trial " << trial;
    EXPECT_NEAR(found.distance, *wanted, 1e-5);
    EXPECT_EQ(std::ssize(found.nearest), kQueries);
  }
}

}  // namespace
}  // namespace cadenza
