#include "cadenza/structure/sam_masks/mask_generator.h"

#include <cmath>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/network/torch_engine.h"
#include "cadenza/structure/mask/clean.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

Image waves(std::int64_t height, std::int64_t width) {
  Image image{height, width, 3, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        const double wave =
            std::sin(double(y) / double(7 + c) + 2 * std::cos(double(x) / double(9 - c)));
        image.pixels.push_back(std::uint8_t(127 + 120 * wave));
      }
    }
  }
  return image;
}

std::shared_ptr<const SamPredictor> predictor() {
  static const auto shared = std::make_shared<SamPredictor>(
      SamRequest{.network = "sam_test", .weights = "random:3"}, NetworkEnvironment{});
  return shared;
}

void write_safetensors(const std::filesystem::path& path, const Weights& weights) {
  Json header = Json::object();
  std::string payload;
  for (const auto& [name, view] : weights.views()) {
    const auto begin = payload.size();
    payload.append(reinterpret_cast<const char*>(view.data.data()), view.data.size_bytes());
    header[name] = {
        {"dtype", "F32"}, {"shape", view.shape}, {"data_offsets", {begin, payload.size()}}};
  }
  const auto text = header.dump();
  const std::uint64_t n = text.size();
  write_file_atomic(path, std::string(reinterpret_cast<const char*>(&n), 8) + text + payload);
}

/// Generated weights whose masks are spots instead of noise everywhere: one of the planes that
/// masks are made of becomes a constant, which pulls all logits down.
std::shared_ptr<const SamPredictor> spotted_predictor(double shift) {
  auto weights = random_weights(describe_sam_whole(sam_test()), 3);
  const auto edit = [&](const std::string& name, auto&& change) {
    auto tensor = tensor_of(weights.views().at("mask_decoder." + name)).clone();
    change(tensor);
    weights.set("mask_decoder." + name, weight_of(tensor));
  };
  edit("output_upscaling.3.weight", [](at::Tensor& w) { w.select(1, 0).zero_(); });
  edit("output_upscaling.3.bias", [](at::Tensor& b) { b[0] = 10; });
  for (int mask = 0; mask < 4; ++mask) {
    const auto layer = "output_hypernetworks_mlps." + std::to_string(mask) + ".layers.2.";
    edit(layer + "weight", [](at::Tensor& w) { w[0].zero_(); });
    edit(layer + "bias", [&](at::Tensor& b) { b[0] = -shift / 10; });
  }
  const TemporaryFolder folder;
  const auto file = folder.path() / "spots.safetensors";
  write_safetensors(file, weights);
  return std::make_shared<SamPredictor>(SamRequest{.network = "sam_test", .weights = file.string()},
                                        NetworkEnvironment{});
}

/// Generated weights answer anything: everything that is not empty passes.
SamMaskOptions lenient() {
  return {.points_per_side = 5,
          .iou_threshold = 0,
          .stability_threshold = 0.01,
          .stability_offset = 0.01,
          .box_overlap = 0.98};
}

double stability_by_definition(const std::vector<float>& logits, double offset) {
  double high = 0, low = 0;
  for (const float logit : logits) {
    high += logit > float(offset);
    low += logit > float(-offset);
  }
  return low == 0 ? 0 : high / low;
}

TEST(SamPredictor, APictureLiesAtTheTopLeftOfTheSquare) {
  const auto tall = predictor()->look(waves(100, 50));
  EXPECT_EQ(tall.used_height_px, 72);
  EXPECT_EQ(tall.used_width_px, 36);
  EXPECT_EQ(tall.embedding.sizes(), (std::vector<std::int64_t>{1, 32, 9, 9}));
  Image grey{40, 40, 1, std::vector<std::uint8_t>(1600, 90)};
  Image colour{40, 40, 3, std::vector<std::uint8_t>(4800, 90)};
  EXPECT_TRUE(at::equal(predictor()->look(grey).embedding, predictor()->look(colour).embedding));
  EXPECT_EQ(error_of([] { predictor()->look({}); }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(error_of([&] { predictor()->ask(tall, {}); }).code(), ErrorCode::kInvalidArgument);
}

TEST(SamPredictor, SaysWhatItCannotLoad) {
  EXPECT_EQ(error_of([] { SamPredictor({.network = "resnet18"}, {}); }).code(),
            ErrorCode::kNotFound);
  const auto error = error_of(
      [] { SamPredictor({.network = "sam_vit_b"}, {.weights_folder = "/no/such/folder"}); });
  EXPECT_EQ(error.code(), ErrorCode::kNotFound);
  EXPECT_THAT(error.what(), HasSubstr("cadenza weights import sam_vit_b"));
}

TEST(SamMasks, AreWhatTheNetworkAnswersAtTheirPoint) {
  const auto image = waves(60, 90);
  auto options = lenient();
  options.points_per_batch = 1;  // LibTorch's bits depend on the batch
  const auto found = SamMaskGenerator(predictor(), options).find(image);
  ASSERT_GT(found.size(), 2U);
  const auto picture = predictor()->look(image);
  for (std::size_t index = 0; index < found.size(); ++index) {
    const auto& mask = found[index];
    const SamPredictor::Point points[] = {mask.point};
    const auto answer = predictor()->ask(picture, points);
    int which = 0;
    while (which < 3 && answer.iou[0][which].item<float>() != mask.predicted_iou) ++which;
    ASSERT_LT(which, 3);
    const auto logits = answer.masks[0][which].contiguous();
    const auto enlarged = predictor()->resampler(picture).enlarge(
        {logits.const_data_ptr<float>(), std::size_t(logits.numel())});
    const auto pixels = decode_runs(mask.runs);
    for (std::size_t pixel = 0; pixel < enlarged.size(); ++pixel) {
      ASSERT_EQ(pixels.inside[pixel] == 1, enlarged[pixel] > 0);
    }
    EXPECT_EQ(mask.box, box_of(pixels));
    EXPECT_EQ(mask.stability, stability_by_definition(enlarged, options.stability_offset));
    EXPECT_GE(mask.stability, options.stability_threshold);
    for (std::size_t better = 0; better < index; ++better) {
      EXPECT_GE(found[better].predicted_iou, mask.predicted_iou);
      EXPECT_LE(overlap(found[better].box, mask.box), options.box_overlap);
    }
  }
}

TEST(SamMasks, DoNotDependOnTheBatchOfPoints) {
  const auto image = waves(60, 90);
  auto options = lenient();
  const auto expected = SamMaskGenerator(predictor(), options).find(image);
  options.points_per_batch = 7;
  const auto found = SamMaskGenerator(predictor(), options).find(image);
  ASSERT_EQ(found.size(), expected.size());
  for (std::size_t index = 0; index < found.size(); ++index) {
    EXPECT_EQ(found[index].box, expected[index].box);
    EXPECT_NEAR(found[index].predicted_iou, expected[index].predicted_iou, 1e-5);
  }
}

TEST(SamMasks, FiltersOnlyTakeAway) {
  const auto image = waves(60, 90);
  auto options = lenient();
  options.box_overlap = 1;
  const auto all = SamMaskGenerator(predictor(), options).find(image);
  const float median = all[all.size() / 2].predicted_iou;
  ASSERT_GT(median, 0);
  options.iou_threshold = double(median);
  const auto good = SamMaskGenerator(predictor(), options).find(image);
  EXPECT_LT(good.size(), all.size());
  for (const auto& mask : good) EXPECT_GT(mask.predicted_iou, median);
}

TEST(SamMasks, OfCropsEndWhereThePictureOrTheThingEnds) {
  const auto image = waves(140, 100);
  auto options = lenient();
  options.crop_layers = 1;
  const auto found = SamMaskGenerator(spotted_predictor(0.5), options).find(image);
  const Box whole{0, 0, 100, 140};
  int n_fine = 0;
  for (const auto& mask : found) {
    EXPECT_FALSE(is_near_crop_edge(mask.box, mask.crop, whole));
    EXPECT_EQ(mask.box, box_of(decode_runs(mask.runs)));
    EXPECT_EQ(mask.runs.height_px, 140);
    n_fine += mask.crop != whole;
  }
  EXPECT_GT(n_fine, 0);
}

TEST(SamMasks, CleanOnesHaveNoSmallPieces) {
  auto options = lenient();
  options.min_region_px = 30;
  const auto found = SamMaskGenerator(spotted_predictor(0.5), options).find(waves(60, 90));
  ASSERT_FALSE(found.empty());
  for (const auto& mask : found) {
    auto pixels = decode_runs(mask.runs);
    const auto before = pixels;
    drop_islands(pixels, 30);
    EXPECT_EQ(pixels, before);
    EXPECT_EQ(mask.box, box_of(before));
  }
}

TEST(SamMasks, AskGivenPointsAlone) {
  auto options = lenient();
  options.point_grids = {{{0.5, 0.25}}};
  const auto found = SamMaskGenerator(predictor(), options).find(waves(60, 90));
  ASSERT_FALSE(found.empty());
  EXPECT_LE(found.size(), 3U);
  for (const auto& mask : found) {
    EXPECT_EQ(mask.point.x, 45);
    EXPECT_EQ(mask.point.y, 15);
  }
}

TEST(SamMasks, OptionsThatMakeNoSenseAndStopsAreErrors) {
  const auto make = [](auto&& change) {
    auto options = lenient();
    change(options);
    return error_of([&] { SamMaskGenerator(predictor(), options); });
  };
  EXPECT_EQ(make([](auto& o) { o.points_per_batch = 0; }).code(), ErrorCode::kInvalidArgument);
  EXPECT_EQ(make([](auto& o) { o.points_per_side = 0; }).code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(make([](auto& o) {
                o.crop_layers = 3;
                o.crop_point_divisor = 2;
              }).what(),
              HasSubstr("none is left in crop layer 3"));
  EXPECT_THAT(make([](auto& o) {
                o.crop_layers = 1;
                o.point_grids = {point_grid(2)};
              }).what(),
              HasSubstr("expected 2, one a crop layer, found 1"));
  std::stop_source stop;
  stop.request_stop();
  const SamMaskGenerator generator(predictor(), lenient());
  EXPECT_EQ(error_of([&] { generator.find(waves(30, 30), stop.get_token()); }).code(),
            ErrorCode::kCancelled);
}

}  // namespace
}  // namespace cadenza
