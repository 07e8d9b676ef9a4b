#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/tensor/state.h"

namespace cadenza {

/// A square kernel over [B,C,H,W]; plain ones are padded so that stride 1 keeps the size.
struct LayerShape {
  std::int64_t in = 1, out = 1;
  std::int64_t kernel = 3;
  std::int64_t stride = 1;
  bool has_bias = true;
  bool is_transposed = false;  ///< kernel = stride: every cell becomes stride x stride cells
};

/// Layers that a method trains from generated weights, by name. What they are put together to is
/// the method's code.
///
/// Life     add_...() all -> start() or load() -> { calls -> backward -> optimiser }*.
/// Threads  calls from any number of threads while nobody trains; record() has one user at a time.
class LearnedLayers {
 public:
  explicit LearnedLayers(at::Device device) : device_(device) {}

  void add_convolution(const std::string& name, const LayerShape& shape);
  void add_norm(const std::string& name, std::int64_t n_channels);
  /// One number that starts at 0.
  void add_factor(const std::string& name);

  /// Weights as at the start: kernels uniform within +-1/sqrt(fan-in), each from a stream of its
  /// own.
  void start(std::uint64_t seed);

  at::Tensor convolve(const std::string& name, const at::Tensor& x) const;
  /// Batch norm: by the batch's own statistics where `is_training`, which moves the running ones by
  /// a tenth; else, and where a channel has one value only, by the running ones.
  at::Tensor normalise(const std::string& name, const at::Tensor& x, bool is_training) const;
  const at::Tensor& factor(const std::string& name) const;

  /// Sorted by name; leaves that require grad.
  const std::map<std::string, at::Tensor>& parameters() const noexcept { return parameters_; }

  /// The patches that each plain convolution sees while `forward` runs, one a column: by the name
  /// of its weight, [C*k*k,n]. Not of those whose patches have more than 4608 values (512 channels
  /// under 3x3): a basis of them is a matrix of that many rows and columns.
  template <class Forward>
  std::map<std::string, at::Tensor> record(const Forward& forward) const {
    std::map<std::string, at::Tensor> found;
    recorded_ = &found;
    forward();
    recorded_ = nullptr;
    return found;
  }

  /// Keys `prefix`<name>; load() throws kCorruptData for another shape.
  void save(const std::string& prefix, StatePiece& out) const;
  void load(const std::string& prefix, PieceReader& in);

 private:
  void add_parameter(const std::string& name, std::vector<std::int64_t> shape);

  at::Device device_;
  std::map<std::string, LayerShape> shapes_;
  std::map<std::string, at::Tensor> parameters_;
  std::map<std::string, at::Tensor> running_;  ///< <norm>.mean and .variance
  mutable std::map<std::string, at::Tensor>* recorded_ = nullptr;
};

}  // namespace cadenza
