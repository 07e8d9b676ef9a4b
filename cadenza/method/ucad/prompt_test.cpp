#include "cadenza/method/ucad/prompt.h"

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/network/registry.h"

namespace cadenza {
namespace {

UcadSettings settings(const OptionTexts& given) {
  const auto table = ucad_options();
  return read_ucad_settings(Options("method 'ucad'", table, given),
                            builtin_networks().find("vit_base_patch16"));
}

/// 2 blocks, 2 parts, 1 token, width 3; every token tells its block and part.
at::Tensor numbered_prompt() { return at::arange(12, at::kFloat).view({2, 2, 1, 3}); }

at::Tensor for_all(const at::Tensor& prompt, std::int64_t n_images) {
  return prompt.unsqueeze(0).expand({n_images, 2, 2, 1, 3});
}

TEST(PromptTokens, AreKeysAndValuesOfEveryBlockInOrder) {
  const auto prompt = numbered_prompt();
  const auto tokens = prompt_tokens(for_all(prompt, 3), PromptMixing::kClean);
  ASSERT_EQ(tokens.size(), 4);
  for (std::int64_t block = 0; block < 2; ++block) {
    for (std::int64_t part = 0; part < 2; ++part) {
      const auto& found = tokens[static_cast<std::size_t>(2 * block + part)];
      for (std::int64_t image = 0; image < 3; ++image) {
        EXPECT_TRUE(at::equal(found[image], prompt[block][part]));
      }
    }
  }
}

TEST(PromptTokens, OfAMixedBatchAreEachImagesOwn) {
  const auto prompts = at::stack({numbered_prompt(), numbered_prompt() + 100});
  const auto tokens = prompt_tokens(prompts, PromptMixing::kClean);
  EXPECT_TRUE(at::equal(tokens[3][1], numbered_prompt()[1][1] + 100));
}

// The release's own steps: keys and values of all images stand in [2,B] and are read as [B,2].
TEST(PromptTokens, ReleasedMixingIsAReshapeInPlaceOfATransposition) {
  const auto prompt = numbered_prompt();
  for (const std::int64_t n_images : {1, 2, 3, 5, 8}) {
    const auto tokens = prompt_tokens(for_all(prompt, n_images), PromptMixing::kReleased);
    for (std::int64_t block = 0; block < 2; ++block) {
      const auto read =
          prompt[block].unsqueeze(1).expand({2, n_images, 1, 3}).reshape({n_images, 2, 1, 3});
      for (std::int64_t part = 0; part < 2; ++part) {
        EXPECT_TRUE(
            at::equal(tokens[static_cast<std::size_t>(2 * block + part)], read.select(1, part)))
            << n_images << " images";
      }
    }
  }
}

TEST(InitialPrompt, IsWhatTheOptionsSay) {
  const auto uniform = initial_prompt(settings({}), 768, 3, "stream");
  EXPECT_EQ(uniform.sizes(), at::IntArrayRef({6, 2, 1, 768}));
  EXPECT_LE(uniform.abs().max().item<double>(), 1);
  EXPECT_NEAR(uniform.square().mean().item<double>(), 1. / 3, 0.02);
  EXPECT_TRUE(at::equal(uniform, initial_prompt(settings({}), 768, 3, "stream")));
  EXPECT_FALSE(at::equal(uniform, initial_prompt(settings({}), 768, 4, "stream")));
  const auto normal =
      initial_prompt(settings({{"prompt_init", "normal"}, {"prompt_scale", "0.1"}}), 768, 3, "s");
  EXPECT_NEAR(normal.square().mean().sqrt().item<double>(), 0.1, 0.005);
  const auto zeros = initial_prompt(
      settings({{"prompt_init", "zeros"}, {"prompt_length", "2"}, {"prompt_layers", "3-5"}}), 768,
      3, "s");
  EXPECT_EQ(zeros.sizes(), at::IntArrayRef({3, 2, 2, 768}));
  EXPECT_EQ(zeros.abs().max().item<double>(), 0);
}

}  // namespace
}  // namespace cadenza
