#include "cadenza/memory/released_random.h"

#include <cmath>
#include <numeric>
#include <utility>

#include <ATen/ATen.h>
#include <ATen/CPUGeneratorImpl.h>

namespace cadenza {

namespace {

/// NumPy's legacy random_interval: uniform in [0, max] by masking and rejecting.
std::uint32_t interval(std::mt19937& engine, std::uint32_t max) {
  std::uint32_t mask = max;
  for (const int shift : {1, 2, 4, 8, 16}) mask |= mask >> shift;
  auto value = static_cast<std::uint32_t>(engine()) & mask;
  while (value > max) value = static_cast<std::uint32_t>(engine()) & mask;
  return value;
}

std::int64_t draw_seed(const at::Generator& generator) {
  return at::empty({}, at::kLong).random_(generator).item<std::int64_t>();
}

}  // namespace

ReleasedRandom::ReleasedRandom(std::uint64_t seed)
    : torch_(at::detail::createCPUGenerator(seed)), numpy_(static_cast<std::uint32_t>(seed)) {}

at::Tensor ReleasedRandom::linear_weight(std::int64_t n_out, std::int64_t n_in) {
  const double bound = 1 / std::sqrt(double(n_in));
  return at::empty({n_out, n_in}, at::kFloat).uniform_(-bound, bound, torch_);
}

std::vector<std::int64_t> ReleasedRandom::shuffled_pass(std::int64_t n) {
  draw_seed(torch_);
  const auto seed = static_cast<std::uint64_t>(draw_seed(torch_));
  const at::Tensor order =
      at::randperm(n, at::detail::createCPUGenerator(seed), at::TensorOptions(at::kLong));
  const auto* const first = order.const_data_ptr<std::int64_t>();
  return {first, first + n};
}

void ReleasedRandom::ordered_pass() { draw_seed(torch_); }

std::vector<std::int64_t> ReleasedRandom::start_rows(std::int64_t n, std::int64_t k) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t last = order.size() - 1; last > 0; --last) {
    std::swap(order[last], order[interval(numpy_, static_cast<std::uint32_t>(last))]);
  }
  order.resize(static_cast<std::size_t>(k));
  return order;
}

}  // namespace cadenza
