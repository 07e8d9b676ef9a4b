#include "cadenza/method/ucad/prompt.h"

#include <ATen/ATen.h>

#include "cadenza/base/rng.h"
#include "cadenza/tensor/shape.h"

namespace cadenza {

at::Tensor initial_prompt(const UcadSettings& settings, std::int64_t width, std::uint64_t seed,
                          const std::string& stream) {
  auto prompt = at::zeros({settings.n_blocks, 2, settings.prompt_length, width}, at::kFloat);
  if (settings.prompt_init == PromptInit::kZeros) return prompt;
  Rng rng(seed, stream);
  auto* value = prompt.mutable_data_ptr<float>();
  for (std::int64_t index = 0; index < prompt.numel(); ++index) {
    const double drawn =
        settings.prompt_init == PromptInit::kUniform ? rng.uniform(-1, 1) : rng.normal();
    value[index] = static_cast<float>(settings.prompt_scale * drawn);
  }
  return prompt;
}

std::vector<at::Tensor> prompt_tokens(const at::Tensor& prompts, PromptMixing mixing) {
  require_shape(prompts, {kAnySize, kAnySize, 2, kAnySize, kAnySize},
                "prompts [B,n_blocks,2,length,width]");
  const auto n_images = prompts.size(0);
  const auto image = at::arange(n_images, prompts.options().dtype(at::kLong));
  std::vector<at::Tensor> tokens;
  for (std::int64_t block = 0; block < prompts.size(1); ++block) {
    const auto pairs = prompts.select(1, block);  // [B,2,length,width]
    for (std::int64_t part = 0; part < 2; ++part) {
      tokens.push_back(mixing == PromptMixing::kClean
                           ? pairs.select(1, part)
                           : pairs.index({image, (image * 2 + part).floor_divide(n_images)}));
    }
  }
  return tokens;
}

}  // namespace cadenza
