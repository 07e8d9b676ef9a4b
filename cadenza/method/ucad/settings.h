#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cadenza/base/options.h"
#include "cadenza/dataset/input_spec.h"
#include "cadenza/memory/patch_scores.h"
#include "cadenza/memory/task_keys.h"
#include "cadenza/network/registry.h"
#include "cadenza/structure/contrastive/cell_labels.h"

namespace cadenza {

enum class PromptInit { kUniform, kNormal, kZeros };
enum class CoresetSampler { kProjected, kExact };

/// The method's options, read and checked. README.md has the table with the authors' names.
struct UcadSettings {
  std::string network, weights, precision;
  std::int64_t size_px;

  std::int64_t tap_block;  ///< features are the patches this block gives, from 0
  // Prompts enter blocks [first_block, first_block + n_blocks).
  std::int64_t first_block, n_blocks, prompt_length;
  PromptInit prompt_init;
  double prompt_scale;
  bool shared_prompt;

  std::int64_t epochs, batch_size;
  double learning_rate, weight_decay, clip_norm, temperature;
  std::string structure;
  LabelRule label_rule;

  std::int64_t patch_size;
  std::int64_t embed_dim;  ///< 0: the network's own width
  std::int64_t target_dim;
  std::int64_t key_size, memory_size, basic_size;
  CoresetSampler sampler;
  std::int64_t projection_dim, n_start_rows;
  KeyPool key_pool;

  double sigma_px, reject_factor;
  std::int64_t cache_mb;
  bool compat;

  /// False: features are those of the plain network, and one pass serves routing and scoring.
  bool has_prompt() const { return n_blocks > 0; }
  MapSmoothing smoothing() const { return {size_px, size_px, sigma_px}; }
};

std::vector<OptionSpec> ucad_options();

/// Errors: kInvalidArgument naming the option: blocks that the network or the tap does not have.
UcadSettings read_ucad_settings(const Options& options, const NetworkEntry& network);

InputSpec ucad_input(const Options& options, const NetworkEntry& network);

}  // namespace cadenza
