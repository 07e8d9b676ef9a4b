#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "cadenza/network/graph.h"

namespace cadenza {

/// A read-only float tensor somewhere in memory, contiguous in row-major order.
struct WeightView {
  Shape shape;
  std::span<const float> data;
  std::shared_ptr<const void> owner;  ///< keeps the mapping or the buffer alive
};

/// Named weights, shared by both engines without a copy.
///
/// Threads  const members from any thread; set() needs exclusive access.
class Weights {
 public:
  /// Errors: kInvalidArgument if the element count of the shape is not that of the data.
  void set(std::string name, WeightView view);

  bool contains(const std::string& name) const { return views_.contains(name); }
  std::size_t size() const noexcept { return views_.size(); }
  const std::map<std::string, WeightView>& views() const noexcept { return views_; }

  /// Errors: kNotFound (naming the nearest name), kInvalidArgument naming the wanted and the found
  /// shape.
  const WeightView& at(const std::string& name, const Shape& wanted) const;

  /// Throws unless every weight the graph names is there in its shape: one error that lists them
  /// all (the first twelve), kNotFound if all are missing, else kInvalidArgument. Names the graph
  /// does not use are fine: a tap needs no classifier.
  void require(const Graph& graph) const;

  /// SHA-256 over the names, shapes and values of the weights `graph` uses.
  /// Cost: reads them once; 20 ms for EfficientNet-Lite0, 0.3 s for ViT-B.
  std::string digest(const Graph& graph) const;

 private:
  std::map<std::string, WeightView> views_;
};

/// Maps the file; float32 weights are used where they lie, float16, bfloat16 and float64 ones are
/// converted, integer ones (batch counters) left out. Errors: kNotFound, kIo, kCorruptData.
Weights read_weights(const std::filesystem::path& path);

/// Generated weights for every weight the graph names: normal with variance 1 / fan-in for kernels
/// and matrices, small ones for vectors; each weight's stream is (seed, its name), so two graphs of
/// one network agree on what they share.
Weights random_weights(const Graph& graph, std::uint64_t seed);

}  // namespace cadenza
