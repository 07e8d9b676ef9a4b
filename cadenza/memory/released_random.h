#pragma once

#include <cstdint>
#include <random>
#include <vector>

#include <ATen/core/Generator.h>
#include <ATen/core/Tensor.h>

namespace cadenza {

/// The random numbers of the authors' program (compat): PyTorch's CPU generator and NumPy's legacy
/// one, both seeded with --seed before every task.
///
/// Source   ucad specification 1.7, 1.8 and vector G.
class ReleasedRandom {
 public:
  explicit ReleasedRandom(std::uint64_t seed);

  /// [n_out, n_in] float32, i.i.d. U(-1/sqrt(n_in), 1/sqrt(n_in)): a Linear layer's first weights.
  at::Tensor linear_weight(std::int64_t n_out, std::int64_t n_in);

  /// The order in which a shuffled DataLoader visits n items; a pass draws two seeds, of which the
  /// second orders.
  std::vector<std::int64_t> shuffled_pass(std::int64_t n);
  /// An unshuffled pass draws its one base seed all the same.
  void ordered_pass();

  /// The first k numbers of numpy.random.permutation(n).
  std::vector<std::int64_t> start_rows(std::int64_t n, std::int64_t k);

 private:
  at::Generator torch_;
  std::mt19937 numpy_;
};

}  // namespace cadenza
