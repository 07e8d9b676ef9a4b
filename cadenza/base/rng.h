#pragma once

#include <cstdint>
#include <random>
#include <string_view>
#include <vector>

namespace cadenza {

/// Random numbers that are the same on every platform and compiler: std::mt19937_64 with our own
/// distributions, since the standard leaves those to the library.
class Rng {
 public:
  /// One independent stream per (seed, name): name a task or a purpose, never a position in time.
  Rng(std::uint64_t seed, std::string_view stream);

  std::uint64_t bits() { return engine_(); }
  /// Uniform in [0, n), n >= 1, without modulo bias.
  std::uint64_t below(std::uint64_t n);
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  double uniform(double low, double high) { return low + (high - low) * uniform(); }
  /// Standard normal (Box-Muller; each call draws two uniforms).
  double normal();

  /// A uniform permutation of 0..n-1 (Fisher-Yates).
  std::vector<std::int64_t> permutation(std::int64_t n);
  /// k distinct numbers of 0..n-1, ascending, each subset equally likely; all of them when k >= n.
  std::vector<std::int64_t> sample_sorted(std::int64_t n, std::int64_t k);

 private:
  std::mt19937_64 engine_;
};

}  // namespace cadenza
