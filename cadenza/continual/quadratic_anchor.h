#pragma once

#include <span>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/tensor/state.h"

namespace cadenza {

/// The sum of any number of quadratic penalties  sum_k sum_j F_kj (theta_j - theta*_kj)^2  in two
/// buffers a parameter instead of two a task: the weight A = sum_k F_k and the centre
/// c = (sum_k F_k theta*_k) / A have the same gradient everywhere, and the same value up to the
/// constant that is kept beside them.
///
/// Source  dne_cl specification 2.2; completing the square.
class QuadraticAnchor {
 public:
  bool empty() const noexcept { return weight_.empty(); }

  /// Adds one penalty. Every importance is >= 0 and shaped like its parameter.
  void add(std::span<const at::Tensor> importance, std::span<const at::Tensor> centre);
  /// Scales all penalties so far (online EWC's gamma) and moves their centre.
  void decay(double factor);
  void move_centre(std::span<const at::Tensor> centre);

  /// The value of the sum at `parameters`: a scalar with a graph.
  at::Tensor penalty(std::span<const at::Tensor> parameters) const;

  /// Keys start with `prefix`; parameters stand by their position.
  void save(const std::string& prefix, StatePiece& out) const;
  void load(const std::string& prefix, PieceReader& in);

 private:
  std::vector<at::Tensor> weight_;  // A
  std::vector<at::Tensor> centre_;  // c
  double constant_ = 0;
};

/// Copies without a graph.
std::vector<at::Tensor> snapshot(std::span<const at::Tensor> parameters);

/// One tensor a parameter under `prefix`0, `prefix`1, ...: how strategies keep such lists.
void save_list(const std::string& prefix, std::span<const at::Tensor> tensors, StatePiece& out);
std::vector<at::Tensor> load_list(const std::string& prefix, PieceReader& in);

}  // namespace cadenza
