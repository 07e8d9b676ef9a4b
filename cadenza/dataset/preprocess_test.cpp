#include "cadenza/dataset/preprocess.h"

#include <cmath>
#include <functional>
#include <set>
#include <vector>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/base/rng.h"
#include "cadenza/image/encode.h"
#include "cadenza/image/resize.h"
#include "cadenza/tensor/picture.h"

namespace cadenza {
namespace {

Image noise(std::int64_t height, std::int64_t width, std::int64_t n_channels) {
  Rng rng(5, "noise");
  Image image{height, width, n_channels, {}};
  for (std::int64_t at = 0; at < height * width * n_channels; ++at) {
    image.pixels.push_back(static_cast<std::uint8_t>(rng.below(256)));
  }
  return image;
}

TEST(Prepare, IsTheNamedResamplerThenTheFormula) {
  const Image image = noise(70, 90, 3);
  InputSpec input{.height_px = 32, .width_px = 32};
  for (const auto resampler :
       {Resampler::kPillowBilinear, Resampler::kPillowBicubic, Resampler::kOpenCvLinear}) {
    input.resampler = resampler;
    const Image expected =
        resampler == Resampler::kOpenCvLinear
            ? resize_opencv_linear(image, 32, 32)
            : resize_pillow(image, 32, 32,
                            resampler == Resampler::kPillowBilinear ? PillowFilter::kBilinear
                                                                    : PillowFilter::kBicubic);
    EXPECT_TRUE(at::equal(prepare_pixels(image, input), tensor_of(expected)));
    const at::Tensor values = tensor_of(expected).permute({2, 0, 1}).to(at::kFloat).div(255);
    const at::Tensor mean = at::tensor(at::ArrayRef<float>(input.mean)).view({3, 1, 1});
    const at::Tensor deviation = at::tensor(at::ArrayRef<float>(input.stddev)).view({3, 1, 1});
    EXPECT_TRUE(at::equal(prepare(image, input), (values - mean) / deviation));
  }
}

TEST(Prepare, TheTriangleFilterRoundsOnlyForPixels) {
  const Image image = noise(70, 90, 3);
  const InputSpec input{.height_px = 24, .width_px = 20, .mean = {0, 0, 0}, .stddev = {1, 1, 1}};
  std::vector<float> expected(3 * 24 * 20);
  resize_triangle(image, 24, 20, {}, expected);
  const at::Tensor values = at::tensor(at::ArrayRef<float>(expected)).view({3, 24, 20});
  EXPECT_TRUE(at::allclose(prepare(image, input) * 255, values, 0, 1e-3));
  EXPECT_TRUE(
      at::equal(prepare_pixels(image, input), values.round().to(at::kByte).permute({1, 2, 0})));
}

TEST(Prepare, TheShortSideFitCutsTheCentre) {
  const Image image = noise(60, 95, 3);
  InputSpec input{.height_px = 30, .width_px = 30, .fit = Fit::kShortSideCrop};
  input.resampler = Resampler::kPillowBilinear;
  const Image whole = resize_pillow(image, 30, 47, PillowFilter::kBilinear);
  EXPECT_TRUE(at::equal(prepare_pixels(image, input), tensor_of(crop(whole, 0, 8, 30, 30))));
  input.resampler = Resampler::kTriangleFloat;
  std::vector<float> planes(3 * 30 * 47);
  resize_triangle(image, 30, 47, {.mean = input.mean, .stddev = input.stddev}, planes);
  EXPECT_TRUE(at::equal(prepare(image, input),
                        at::tensor(at::ArrayRef<float>(planes)).view({3, 30, 47}).slice(2, 8, 38)));
}

TEST(Prepare, GreyIsRepeated) {
  const Image grey = noise(20, 30, 1);
  InputSpec input{.height_px = 8, .width_px = 8, .mean = {0, 0, 0}, .stddev = {1, 1, 1}};
  for (const auto resampler : {Resampler::kTriangleFloat, Resampler::kPillowBicubic}) {
    input.resampler = resampler;
    const at::Tensor image = prepare(grey, input), pixels = prepare_pixels(grey, input);
    EXPECT_TRUE(at::equal(image[0], image[2]));
    EXPECT_TRUE(at::equal(pixels.select(2, 0), pixels.select(2, 1)));
  }
}

TEST(Prepare, ALargeJpegIsReducedOnlyWhereItStaysLargeEnough) {
  InputSpec input{.height_px = 100, .width_px = 100};
  EXPECT_EQ(decode_options(input).reduce_to_px, 0);
  input.reduced_decoding = true;
  const auto bytes = encode_jpeg(noise(399, 800, 3), 90);
  const auto reduced = decode_reduced(bytes, "a.jpg", decode_options(input));
  EXPECT_EQ(reduced.image.height_px, 200);
  EXPECT_EQ(reduced.image.width_px, 400);
  EXPECT_EQ(reduced.full_height_px, 399);
  EXPECT_EQ(reduced.full_width_px, 800);
}

TEST(Prepare, BadNumbersAreRefused) {
  InputSpec input{.stddev = {1, 0, 1}};
  EXPECT_STREQ(error_of([&] { prepare(noise(9, 9, 3), input); }).what(),
               "InputSpec: a stddev of 0; each needs to be above 0");
  EXPECT_EQ(error_of([&] { normalised(at::zeros({1, 8, 8, 3}), {}); }).code(),
            ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { normalised(at::zeros({8, 8, 3}, at::kByte), {}); }).code(),
            ErrorCode::kInvalidArgument);
}

TEST(Fingerprint, TellsEverythingThatPrepareDependsOn) {
  const InputSpec plain{.height_px = 32, .width_px = 48, .mean = {.5F, .5F, .5F}};
  EXPECT_EQ(fingerprint(plain), "32x48:squash:triangle:mean=0.5,0.5,0.5:std=0.229,0.224,0.225");
  std::set<std::string> all{fingerprint(plain)};
  for (const auto& change : std::vector<std::function<void(InputSpec&)>>{
           [](InputSpec& input) { input.height_px = 33; },
           [](InputSpec& input) { input.width_px = 33; },
           [](InputSpec& input) { input.mean[2] = .4F; },
           [](InputSpec& input) { input.stddev[0] = .4F; },
           [](InputSpec& input) { input.fit = Fit::kShortSideCrop; },
           [](InputSpec& input) { input.resampler = Resampler::kPillowBicubic; },
           [](InputSpec& input) { input.reduced_decoding = true; }}) {
    InputSpec changed = plain;
    change(changed);
    EXPECT_TRUE(all.insert(fingerprint(changed)).second) << fingerprint(changed);
  }
}

}  // namespace
}  // namespace cadenza
