#include "cadenza/method/dual_prompt/task_memory.h"

#include <algorithm>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza::dual_prompt {
namespace {

std::vector<float> numbers(const at::Tensor& tensor) {
  const auto plain = tensor.to(at::kFloat).contiguous();
  return {plain.const_data_ptr<float>(), plain.const_data_ptr<float>() + plain.numel()};
}

at::Tensor floats(const std::vector<float>& values) {
  return at::tensor(values, at::TensorOptions(at::kFloat));
}

at::Tensor of_unit_length(const at::Tensor& rows) {
  return rows / rows.norm(2, {-1}, /*keepdim=*/true).clamp_min(1e-12);
}

/// -1 in `sizes`: any, at least 1.
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

std::vector<float> read_floats(PieceReader& reader, const std::string& name,
                               const std::string& key) {
  const auto tensor = reader.tensor(key);
  CADENZA_REQUIRE(tensor.dim() == 1 && tensor.scalar_type() == at::kFloat, ErrorCode::kCorruptData,
                  name, ": tensor '", key, "': expected float32 numbers [n], got ", tensor.sizes());
  return numbers(tensor);
}

}  // namespace

PatchEmbeddingOptions embedding_options(const DualPromptSettings& settings,
                                        const PromptedNetwork& network) {
  const bool is_projected = settings.has_prompt() && settings.head_dim > 0;
  return {.n_channels = is_projected ? settings.head_dim : network.n_channels(),
          .rows = network.rows(),
          .columns = network.columns(),
          .patch_size = settings.patch_size,
          .embed_dim = settings.embed_dim,
          .target_dim = settings.target_dim,
          .keeps_distances_alone = !settings.compat};
}

at::Tensor patch_scores_of(const at::Tensor& distances, const DualPromptSettings& settings) {
  return settings.compat ? distances.square() : distances;
}

MapSmoothing smoothing(const DualPromptSettings& settings) {
  return {
      .height_px = settings.size_px, .width_px = settings.size_px, .sigma_px = settings.sigma_px};
}

void TaskMemory::set_keys(const PickedPatches& picked, const at::Tensor& cells,
                          const DualPromptSettings& settings) {
  keys = picked.rows;
  distances.clear();
  typical_distance = 1;
  const PickedPatches directions{.rows = of_unit_length(keys), .owners = picked.owners};
  const auto left_out = left_out_distances(directions, of_unit_length(cells));
  if (!left_out.isfinite().all().item<bool>()) return;
  const auto away = left_out.square() / 2;  // of unit vectors: 1 - cosine
  const auto pooled = settings.key_pool == KeyPool::kMax ? away.amax({1}) : away.mean({1});
  distances = numbers(pooled);
  const auto median = pooled.median().item<double>();
  if (median > 0) typical_distance = median;
}

void TaskMemory::set_knowledge(const PickedPatches& picked, const at::Tensor& cells,
                               const PromptedNetwork& network, const DualPromptSettings& settings) {
  knowledge = picked.rows;
  scores.clear();
  map_threshold = 0;
  const auto left_out = left_out_distances(picked, cells);
  if (!left_out.isfinite().all().item<bool>()) return;
  const auto patches = patch_scores_of(left_out, settings);
  scores = numbers(patches.amax({1}));
  map_threshold = patch_map(patches, network.rows(), network.columns(), smoothing(settings))
                      .max()
                      .item<double>();
}

void save_prompt(const DualPrompt& prompt, StatePiece& piece) {
  for (const auto& [name, tensor] : prompt) piece.tensors["prompt." + name] = tensor;
}

DualPrompt load_prompt(PieceReader& reader, const std::string& name,
                       const DualPromptSettings& settings, std::int64_t n_channels) {
  DualPrompt prompt;
  for (const auto& [part, sizes] : prompt_sizes(settings, n_channels)) {
    prompt[part] = read_tensor(reader, name, "prompt." + part, sizes);
  }
  return prompt;
}

StatePiece TaskMemory::save(const DualPromptSettings& settings) const {
  StatePiece piece;
  save_prompt(prompt, piece);
  if (!settings.one_memory()) {
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

TaskMemory TaskMemory::load(const StatePiece& piece, const std::string& name,
                            const DualPromptSettings& settings, std::int64_t n_channels,
                            std::int64_t dim) {
  PieceReader reader(piece, name);
  TaskMemory memory;
  if (!settings.one_memory()) {
    if (!settings.shared_prompt) memory.prompt = load_prompt(reader, name, settings, n_channels);
    memory.keys = read_tensor(reader, name, "keys", {-1, n_channels});
    memory.knowledge = read_tensor(reader, name, "knowledge", {-1, dim});
  } else {
    const auto rows = read_tensor(reader, name, "rows", {-1, n_channels});
    memory.keys = rows.slice(0, 0, settings.key_size).contiguous();
    memory.knowledge = rows.slice(0, 0, settings.memory_size).contiguous();
  }
  if (settings.basic_size > 0) memory.basic = read_tensor(reader, name, "basic", {-1, dim});
  memory.scores = read_floats(reader, name, "scores");
  memory.distances = read_floats(reader, name, "distances");
  const auto limits = reader.tensor("limits");
  CADENZA_REQUIRE(limits.numel() == 2 && limits.scalar_type() == at::kDouble,
                  ErrorCode::kCorruptData, name,
                  ": tensor 'limits': expected 2 float64 numbers, got ", limits.sizes());
  memory.typical_distance = limits[0].item<double>();
  memory.map_threshold = limits[1].item<double>();
  CADENZA_REQUIRE(memory.typical_distance > 0, ErrorCode::kCorruptData, name,
                  ": tensor 'limits': expected a typical distance above 0, got ",
                  memory.typical_distance);
  reader.finish();
  return memory;
}

}  // namespace cadenza::dual_prompt
