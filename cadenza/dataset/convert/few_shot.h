#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "cadenza/dataset/input_spec.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

/// A few normals of one task, drawn from those to learn.
struct FewShotSet {
  std::string task;
  std::vector<Sample> samples;  ///< in the order in which they were drawn
};

/// `n_shots` normals of every task. A task's draw depends on the seed, its name and its number of
/// normals; the set of two begins that of four.
///
/// Errors   kInvalidArgument: fewer normals than that, naming the task; n_shots below 1.
std::vector<FewShotSet> draw_few_shots(const Dataset& dataset, std::int64_t n_shots,
                                       std::uint64_t seed);

/// What InCTRL's prompts are prepared with: CLIP's statistics, 240 pixels, the shorter side
/// resized with Pillow's bicubic filter and the centre cut out.
InputSpec inctrl_input();

/// The bytes of a prompt file as InCTRL reads it: torch.save of a list of [3,H,W] float32 tensors.
///
/// Errors   those of read_image() and prepare().
/// Source   Zhu & Pang, "Toward Generalist Anomaly Detection via In-context Residual Learning with
///          Few-shot Sample Prompts", CVPR 2024, and its program.
std::vector<std::byte> prompt_file(const FewShotSet& set, const InputSpec& input);

}  // namespace cadenza
