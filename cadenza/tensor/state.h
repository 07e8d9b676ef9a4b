#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// A task's number in one model. Given out once by whoever owns the model directory or the run and
/// never used again, also after the task was forgotten.
using TaskId = std::int64_t;

/// One separately stored part of what a method has learned: named tensors and named texts.
/// Tensors are contiguous and on the CPU.
struct StatePiece {
  std::map<std::string, at::Tensor> tensors;
  std::map<std::string, std::string> texts;
};

/// All that a method has learned. A task's piece holds only what belongs to that task, so that
/// forgetting it leaves every other byte alone; `shared` holds the rest (shared parameters).
struct MethodState {
  StatePiece shared;
  std::map<TaskId, StatePiece> tasks;
};

/// Takes a piece apart and remembers what was taken, so that a key nobody reads is an error.
class PieceReader {
 public:
  /// Borrows `piece`; `name` ("task 3") opens every message.
  PieceReader(const StatePiece& piece, std::string name);

  /// Throws kCorruptData if the key is absent.
  at::Tensor tensor(const std::string& key);
  const std::string& text(const std::string& key);
  bool has_tensor(const std::string& key) const { return piece_.tensors.contains(key); }
  bool has_text(const std::string& key) const { return piece_.texts.contains(key); }

  /// Throws kCorruptData naming the keys that nobody asked for.
  void finish() const;

 private:
  const StatePiece& piece_;
  std::string name_;
  std::set<std::string> read_;
};

}  // namespace cadenza
