#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/method/ucad/settings.h"

namespace cadenza {

/// A prompt is one tensor [n_blocks, 2, length, width]: for each prompted block key tokens (0) and
/// value tokens (1).
///
/// What it starts as; `seed` and `stream` name the random numbers.
at::Tensor initial_prompt(const UcadSettings& settings, std::int64_t width, std::uint64_t seed,
                          const std::string& stream);

enum class PromptMixing {
  kClean,    ///< every image has the key tokens as keys and the value tokens as values
  kReleased  ///< the authors' program: which tokens an image gets depends on its place in the batch
};

/// The tokens of each image: for every block first keys, then values, each [B,length,width], with
/// the prompts' graph.
///
/// Shapes   prompts [B,n_blocks,2,length,width], one an image (expand() a prompt that all share).
/// kReleased, image b of a batch of B: tokens floor(2b/B) as keys and floor((2b+1)/B) as values (a
/// reshape where a transposition was meant); a single image is not affected.
/// Source   ucad specification 1.4.
std::vector<at::Tensor> prompt_tokens(const at::Tensor& prompts, PromptMixing mixing);

}  // namespace cadenza
