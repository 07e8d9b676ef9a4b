#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/network/graph.h"
#include "cadenza/network/weights.h"

namespace cadenza {

enum class EngineKind { kTorch, kOpenvino };
enum class Precision { kF32, kBf16 };

std::string_view to_string(EngineKind kind) noexcept;      // "torch"
std::string_view to_string(Precision precision) noexcept;  // "bf16"

struct EngineOptions {
  EngineKind kind = EngineKind::kOpenvino;
  Precision precision = Precision::kF32;
  /// OpenVINO: threads of one call, 0 = as many as this process may use; the numbers do not depend
  /// on it. LibTorch has one thread count for the whole process (at::set_num_threads), untouched
  /// here.
  int n_threads = 0;
  /// OpenVINO: calls that may run side by side. 1 is best for one caller; as many as cores give a
  /// server at batch 1 a third more images a second.
  int n_streams = 1;
  at::Device device = at::kCPU;  ///< cuda:N needs kTorch
};

/// Of the logits that grid attention holds at once: beyond it, engines take queries a few rows at a
/// time (SAM's global attention would have 0.8 GB, and copies of it).
inline constexpr std::int64_t kGridAttentionBytes = std::int64_t{1} << 27;

/// A network ready to run.
///
/// Threads  const members from any thread, at the same time. Never keep one in a static: its
///          libraries may be gone first.
class Engine {
 public:
  virtual ~Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;

  /// Runs the network once.
  ///
  /// Shapes   `inputs` in the order of graph().inputs() (see Graph::input_index), float32 or uint8
  ///          as described; every symbolic batch is the same B >= 1. Returns one float32 tensor an
  ///          output, contiguous, on the CPU, in the order of graph().outputs().
  /// Errors   kInvalidArgument naming the input, the described and the found shape.
  virtual std::vector<at::Tensor> run(std::span<const at::Tensor> inputs) const = 0;

  /// Of graph, weights, engine, precision and library version, not of threads or processor:
  /// features of two fingerprints must not meet in one bank. Readable, one line.
  /// Cost     hashes the weights at the first call (0.3 s for ViT-B), remembered.
  virtual std::string fingerprint() const = 0;

  const Graph& graph() const noexcept { return graph_; }

 protected:
  explicit Engine(Graph graph) : graph_(std::move(graph)) {}

  /// Checks count, types and shapes of `inputs`; returns B (1 if no input has a batch).
  std::int64_t require_inputs(std::span<const at::Tensor> inputs) const;

 private:
  Graph graph_;
};

/// Errors   kNotFound, kInvalidArgument (a weight is missing or misshapen), kUnsupported (OpenVINO
///          off the CPU; a device this machine does not have).
std::unique_ptr<Engine> make_engine(Graph graph, std::shared_ptr<const Weights> weights,
                                    const EngineOptions& options);

/// "auto" | "f32" | "bf16" -> a precision; auto is bf16 where the processor multiplies it natively
/// (AMX or AVX512-BF16), f32 elsewhere. Errors: kInvalidArgument.
Precision pick_precision(std::string_view name);

/// "cpu" or "cuda:N". Errors: kInvalidArgument.
at::Device parse_device(const std::string& name);

}  // namespace cadenza
