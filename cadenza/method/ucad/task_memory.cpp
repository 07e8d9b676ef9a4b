#include "cadenza/method/ucad/task_memory.h"

#include <algorithm>
#include <cmath>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/memory/coreset.h"
#include "cadenza/memory/projected_coreset.h"

namespace cadenza {
namespace {

at::Tensor floats(const std::vector<float>& values) {
  return at::tensor(values, at::TensorOptions(at::kFloat));
}

std::vector<float> read_floats(PieceReader& reader, const std::string& key) {
  const auto tensor = reader.tensor(key);
  CADENZA_REQUIRE(tensor.dim() == 1 && tensor.scalar_type() == at::kFloat, ErrorCode::kCorruptData,
                  "'", key, "': expected float32 numbers [n], got ", tensor.sizes());
  const auto* first = tensor.const_data_ptr<float>();
  return {first, first + tensor.numel()};
}

at::Tensor read_tensor(PieceReader& reader, const std::string& name, const std::string& key,
                       const std::vector<std::int64_t>& sizes) {
  const auto tensor = reader.tensor(key);
  bool fits = tensor.dim() == std::ssize(sizes) && tensor.scalar_type() == at::kFloat;
  for (std::size_t axis = 0; fits && axis < sizes.size(); ++axis) {
    const auto found = tensor.size(static_cast<std::int64_t>(axis));
    fits = sizes[axis] < 0 ? found >= 1 : found == sizes[axis];
  }
  CADENZA_REQUIRE(fits && tensor.isfinite().all().item<bool>(), ErrorCode::kCorruptData, name,
                  ": tensor '", key, "': expected finite float32 numbers ", at::IntArrayRef(sizes),
                  " (-1: any), got ", tensor.sizes());
  return tensor;
}

}  // namespace

PatchEmbeddingOptions embedding_options(const UcadSettings& settings, std::int64_t width,
                                        std::int64_t side) {
  return {.n_channels = width,
          .rows = side,
          .columns = side,
          .patch_size = settings.patch_size,
          .embed_dim = settings.embed_dim,
          .target_dim = settings.target_dim,
          .keeps_distances_alone = !settings.compat};
}

CoresetRandom::CoresetRandom(std::uint64_t seed, std::string task, bool is_released)
    : seed_(seed), task_(std::move(task)), is_released_(is_released), released_(seed) {}

at::Tensor CoresetRandom::projection(std::int64_t n_out, std::int64_t n_in) {
  if (is_released_) return released_.linear_weight(n_out, n_in);
  Rng rng(seed_, cat("projection ", task_));
  const double bound = 1 / std::sqrt(static_cast<double>(n_in));
  auto matrix = at::empty({n_out, n_in}, at::kFloat);
  auto* value = matrix.mutable_data_ptr<float>();
  for (std::int64_t index = 0; index < matrix.numel(); ++index) {
    value[index] = static_cast<float>(rng.uniform(-bound, bound));
  }
  return matrix;
}

std::vector<std::int64_t> CoresetRandom::start_rows(std::int64_t n, std::int64_t k) {
  if (is_released_) return released_.start_rows(n, k);
  return Rng(seed_, cat("start rows ", task_)).sample_sorted(n, k);
}

PickedRows pick_rows(const UcadSettings& settings, const at::Tensor& patches, std::int64_t k,
                     CoresetRandom& random, std::stop_token stop) {
  const auto n_patches = patches.size(1);
  const auto rows = patches.reshape({-1, patches.size(2)});
  k = std::min(k, rows.size(0));
  at::Tensor picked;
  if (settings.sampler == CoresetSampler::kExact) {
    picked = at::tensor(select_coreset(rows, k, {}, stop), at::kLong);
  } else {
    const auto projection = random.projection(settings.projection_dim, rows.size(1));
    const auto start =
        random.start_rows(rows.size(0), std::min(settings.n_start_rows, rows.size(0)));
    picked = select_projected_coreset(rows, projection, start, k, stop);
  }
  PickedRows found{.rows = rows.index_select(0, picked).contiguous(), .owners = {}};
  const auto* row = picked.const_data_ptr<std::int64_t>();
  for (std::int64_t index = 0; index < picked.numel(); ++index) {
    found.owners.push_back(static_cast<std::int32_t>(row[index] / n_patches));
  }
  return found;
}

PickedRows PickedRows::first(std::int64_t k) const {
  k = std::min(k, rows.size(0));
  return {.rows = rows.slice(0, 0, k).clone(), .owners = {owners.begin(), owners.begin() + k}};
}

at::Tensor left_out_distances(const PickedRows& picked, const at::Tensor& patches) {
  const PackedBank bank(picked.rows);
  const auto n_patches = static_cast<std::size_t>(patches.size(1));
  auto distances = at::empty({patches.size(0), patches.size(1)}, at::kFloat);
  std::vector<std::int32_t> entry(n_patches);
  for (std::int64_t image = 0; image < patches.size(0); ++image) {
    const auto queries = patches[image];
    bank.search_without(
        static_cast<std::int32_t>(image), picked.owners,
        {queries.const_data_ptr<float>(), static_cast<std::size_t>(queries.numel())},
        {distances[image].mutable_data_ptr<float>(), n_patches}, entry);
  }
  return distances;
}

at::Tensor patch_scores_of(const at::Tensor& distances, const UcadSettings& settings) {
  return settings.compat ? distances.square() : distances;
}

StatePiece TaskMemory::save(bool has_prompt) const {
  StatePiece piece;
  if (prompt.defined()) piece.tensors["prompt"] = prompt.detach().clone();
  if (has_prompt) {
    piece.tensors["keys"] = keys;
    piece.tensors["knowledge"] = knowledge;
  } else {
    piece.tensors["rows"] = keys.size(0) > knowledge.size(0) ? keys : knowledge;
  }
  if (basic.defined()) piece.tensors["basic"] = basic;
  piece.tensors["scores"] = floats(scores);
  piece.tensors["distances"] = floats(distances);
  piece.tensors["limits"] = at::tensor({typical_distance, map_threshold}, at::kDouble);
  return piece;
}

at::Tensor read_prompt(PieceReader& reader, const std::string& name, const UcadSettings& how,
                       std::int64_t width) {
  return read_tensor(reader, name, "prompt", {how.n_blocks, 2, how.prompt_length, width});
}

TaskMemory TaskMemory::load(const StatePiece& piece, const std::string& name,
                            const UcadSettings& how, std::int64_t width, std::int64_t dim) {
  PieceReader reader(piece, name);
  TaskMemory memory;
  if (how.has_prompt()) {
    if (!how.shared_prompt) {
      memory.prompt = read_prompt(reader, name, how, width);
    }
    memory.keys = read_tensor(reader, name, "keys", {-1, dim});
    memory.knowledge = read_tensor(reader, name, "knowledge", {-1, dim});
  } else {
    const auto rows = read_tensor(reader, name, "rows", {-1, dim});
    memory.keys = rows.slice(0, 0, how.key_size).clone();
    memory.knowledge = rows.slice(0, 0, how.memory_size).clone();
  }
  if (how.basic_size > 0) memory.basic = read_tensor(reader, name, "basic", {-1, dim});
  memory.scores = read_floats(reader, "scores");
  memory.distances = read_floats(reader, "distances");
  const auto limits = reader.tensor("limits");
  CADENZA_REQUIRE(limits.numel() == 2 && limits.scalar_type() == at::kDouble,
                  ErrorCode::kCorruptData, name, ": tensor 'limits': expected 2 float64 numbers");
  memory.typical_distance = limits[0].item<double>();
  memory.map_threshold = limits[1].item<double>();
  CADENZA_REQUIRE(memory.typical_distance > 0, ErrorCode::kCorruptData, name,
                  ": tensor 'limits': expected a typical distance above 0, got ",
                  memory.typical_distance);
  reader.finish();
  return memory;
}

}  // namespace cadenza
