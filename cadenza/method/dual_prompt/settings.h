#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cadenza/base/options.h"
#include "cadenza/dataset/input_spec.h"
#include "cadenza/memory/patch_coreset.h"
#include "cadenza/memory/task_keys.h"
#include "cadenza/network/registry.h"
#include "cadenza/structure/contrastive/cell_labels.h"

namespace cadenza::dual_prompt {

enum class OptimizerGroups {
  kOne,   ///< Adam over everything
  kSplit  ///< AdamW, prompts at 2e-4 without decay and head at 5e-4 with decay 0.05
};

/// The method's options, read and checked. README.md has the table with the authors' names.
struct DualPromptSettings {
  std::string network, weights, precision;
  std::int64_t size_px;

  std::vector<InjectionSite> sites;  ///< in the network's order; none: nothing is learned
  std::string analysis_tap;          ///< features are its cells
  bool kernel_prompt, mask_prompt, trains_scale, shared_prompt;
  std::int64_t head_dim;  ///< of the features' projection; 0: there is none

  std::int64_t epochs, batch_size;
  OptimizerGroups groups;
  double learning_rate, weight_decay, clip_norm, temperature;
  std::string structure;
  LabelRule label_rule;

  std::int64_t patch_size;  ///< side of the square of cells that is taken as one
  std::int64_t embed_dim;   ///< 0: as the head gives them
  std::int64_t target_dim;  ///< 0: as embed_dim
  std::int64_t key_size, memory_size, basic_size;
  PatchSampler sampler;
  std::int64_t projection_dim, n_start_rows;
  KeyPool key_pool;

  double sigma_px, reject_factor;
  std::int64_t cache_mb;
  bool compat;

  /// False: features are those of the plain network, and one pass serves routing and scoring.
  bool has_prompt() const { return !sites.empty(); }
  /// True: what is scored is what is routed by, and keys and knowledge are the same rows.
  bool one_memory() const { return !has_prompt() && patch_size == 1 && embed_dim == 0; }
};

std::vector<OptionSpec> dual_prompt_options();

/// Errors: kInvalidArgument naming the option: sites that the network does not have or that lie
/// behind the analysis site, a larger memory that is not larger.
DualPromptSettings read_settings(const Options& options, const NetworkEntry& network);

InputSpec input_spec(const Options& options, const NetworkEntry& network);

}  // namespace cadenza::dual_prompt
