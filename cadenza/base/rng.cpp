#include "cadenza/base/rng.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <utility>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

/// FNV-1a over the name, then mixed with the seed by splitmix64: near seeds give far states.
std::uint64_t mix(std::uint64_t seed, std::string_view stream) {
  std::uint64_t hash = 0xCBF29CE484222325;
  for (const char letter : stream) {
    hash = (hash ^ static_cast<unsigned char>(letter)) * 0x100000001B3;
  }
  std::uint64_t z = hash + seed * 0x9E3779B97F4A7C15 + 0x9E3779B97F4A7C15;
  z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
  z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
  return z ^ (z >> 31);
}

}  // namespace

Rng::Rng(std::uint64_t seed, std::string_view stream) : engine_(mix(seed, stream)) {}

std::uint64_t Rng::below(std::uint64_t n) {
  CADENZA_REQUIRE(n > 0, ErrorCode::kInvalidArgument, "Rng::below(0)");
  const std::uint64_t limit = ~std::uint64_t{0} - ~std::uint64_t{0} % n;
  std::uint64_t drawn = engine_();
  while (drawn >= limit) drawn = engine_();
  return drawn % n;
}

double Rng::uniform() { return static_cast<double>(engine_() >> 11) * 0x1p-53; }

double Rng::normal() {
  const double radius = std::sqrt(-2 * std::log(1 - uniform()));
  return radius * std::cos(2 * std::numbers::pi * uniform());
}

std::vector<std::int64_t> Rng::permutation(std::int64_t n) {
  std::vector<std::int64_t> order(static_cast<std::size_t>(n));
  std::iota(order.begin(), order.end(), 0);
  for (std::size_t last = order.size(); last > 1; --last) {
    std::swap(order[last - 1], order[below(last)]);
  }
  return order;
}

std::vector<std::int64_t> Rng::sample_sorted(std::int64_t n, std::int64_t k) {
  auto order = permutation(n);
  order.resize(static_cast<std::size_t>(std::min(n, k)));
  std::ranges::sort(order);
  return order;
}

}  // namespace cadenza
