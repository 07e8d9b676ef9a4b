#include "cadenza/method/patchcore/task_bank.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza::patchcore {
namespace {

std::span<const float> numbers_of(const at::Tensor& tensor) {
  return {tensor.const_data_ptr<float>(), static_cast<std::size_t>(tensor.numel())};
}

at::Tensor tensor_of(const std::vector<float>& values) {
  return at::tensor(values, at::TensorOptions().dtype(at::kFloat));
}

/// [n] float32, every value finite.
std::vector<float> load_floats(PieceReader& reader, const std::string& key) {
  const auto found = reader.tensor(key);
  CADENZA_REQUIRE(
      found.scalar_type() == at::kFloat && found.dim() == 1 && found.isfinite().all().item<bool>(),
      ErrorCode::kCorruptData, key, ": expected finite float32 [n], found ",
      at::toString(found.scalar_type()), ' ', found.sizes());
  const auto values = found.contiguous();
  return {values.const_data_ptr<float>(), values.const_data_ptr<float>() + values.numel()};
}

}  // namespace

void derive(TaskBank& task) {
  task.rows = task.bank.rows();
  task.packed = PackedBank(task.rows);
}

PatchMatches match(const TaskBank& task, const at::Tensor& patches,
                   std::optional<std::int32_t> left_out) {
  const auto n_patches = static_cast<std::size_t>(patches.size(0));
  PatchMatches matches{.distance = std::vector<float>(n_patches),
                       .entry = std::vector<std::int32_t>(n_patches)};
  if (left_out) {
    const auto& owners = task.bank.owners;
    task.packed.search_without(
        *left_out,
        {owners.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(owners.numel())},
        numbers_of(patches), matches.distance, matches.entry);
  } else {
    task.packed.search(numbers_of(patches), matches.distance, matches.entry);
  }
  return matches;
}

float image_score(const TaskBank& task, const at::Tensor& patches, const PatchMatches& matches,
                  std::int64_t n_neighbours, std::optional<std::int32_t> left_out) {
  const auto largest = std::ranges::max_element(matches.distance);
  const auto patch = largest - matches.distance.begin();
  const auto entry = matches.entry[static_cast<std::size_t>(patch)];
  const float distance = *largest;

  const auto& others = left_out ? task.rows.index({task.bank.owners.ne(*left_out)}) : task.rows;
  const auto n = std::min(n_neighbours, others.size(0));
  if (n < 2) return distance;
  const auto from_entry = (others - task.rows[entry]).square().sum(1);
  const auto [near, places] = from_entry.topk(n, 0, /*largest=*/false);
  const auto from_patch = (others.index_select(0, places) - patches[patch]).norm(2, {1});
  // By differences to the largest, so that no exponential overflows.
  const double highest = std::max<double>(from_patch.max().item<float>(), distance);
  const double sum = (from_patch.to(at::kDouble) - highest).exp().sum().item<double>();
  return static_cast<float>((1 - std::exp(distance - highest) / sum) * distance);
}

StatePiece save(const TaskBank& task) {
  StatePiece piece;
  save_bank(task.bank, "bank", piece);
  piece.tensors["scores"] = tensor_of(task.scores);
  piece.tensors["distances"] = tensor_of(task.distances);
  piece.tensors["typical_distance"] = at::full({1}, task.typical_distance, at::kDouble);
  return piece;
}

TaskBank load(PieceReader& reader, BankCode code, std::int64_t dim) {
  TaskBank task{.bank = load_bank(reader, "bank", code, dim),
                .scores = load_floats(reader, "scores"),
                .distances = load_floats(reader, "distances")};
  CADENZA_REQUIRE(task.bank.size() > 0, ErrorCode::kCorruptData,
                  "bank: expected at least one entry, found none");
  CADENZA_REQUIRE(task.scores.size() == task.distances.size(), ErrorCode::kCorruptData,
                  "scores and distances: expected one of each an image, found ", task.scores.size(),
                  " and ", task.distances.size());
  const auto typical = reader.tensor("typical_distance");
  CADENZA_REQUIRE(typical.scalar_type() == at::kDouble && typical.numel() == 1 &&
                      typical.item<double>() > 0 && std::isfinite(typical.item<double>()),
                  ErrorCode::kCorruptData, "typical_distance: expected one positive float64");
  task.typical_distance = typical.item<double>();
  derive(task);
  return task;
}

}  // namespace cadenza::patchcore
