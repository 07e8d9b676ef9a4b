#include "cadenza/dataset/convert/few_shot.h"

#include <ATen/core/List.h>
#include <torch/csrc/jit/serialization/pickle.h>

#include "cadenza/base/error.h"
#include "cadenza/base/rng.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/image/decode.h"

namespace cadenza {

std::vector<FewShotSet> draw_few_shots(const Dataset& dataset, std::int64_t n_shots,
                                       std::uint64_t seed) {
  CADENZA_REQUIRE(n_shots >= 1, ErrorCode::kInvalidArgument,
                  "few shots: expected at least 1 image, found ", n_shots);
  std::vector<FewShotSet> sets;
  for (const auto& task : dataset.tasks) {
    std::vector<const Sample*> normals;
    for (const auto& sample : dataset.samples) {
      if (sample.task == task && sample.split == Split::kTrain && !sample.is_defect) {
        normals.push_back(&sample);
      }
    }
    CADENZA_REQUIRE(std::ssize(normals) >= n_shots, ErrorCode::kInvalidArgument,
                    dataset.root.string(), ": task '", task, "' has ", normals.size(),
                    " normals to learn from, ", n_shots, " are asked for");
    const auto order = Rng(seed, "few-shot " + task).permutation(std::ssize(normals));
    FewShotSet set{task, {}};
    for (std::int64_t shot = 0; shot < n_shots; ++shot) {
      const auto drawn = static_cast<std::size_t>(order[static_cast<std::size_t>(shot)]);
      set.samples.push_back(*normals[drawn]);
    }
    sets.push_back(std::move(set));
  }
  return sets;
}

InputSpec inctrl_input() {
  return {.height_px = 240,
          .width_px = 240,
          .mean = {0.48145466F, 0.4578275F, 0.40821073F},
          .stddev = {0.26862954F, 0.26130258F, 0.27577711F},
          .fit = Fit::kShortSideCrop,
          .resampler = Resampler::kPillowBicubic};
}

std::vector<std::byte> prompt_file(const FewShotSet& set, const InputSpec& input) {
  // A list of anything: of tensors alone, Python would need TorchScript's classes to read it.
  c10::impl::GenericList prompts(c10::AnyType::get());
  for (const auto& sample : set.samples) {
    prompts.push_back(prepare(read_image(sample.file, decode_options(input)), input));
  }
  const auto written = torch::jit::pickle_save(c10::IValue(prompts));
  const auto bytes = std::as_bytes(std::span(written));
  return {bytes.begin(), bytes.end()};
}

}  // namespace cadenza
