#include "cadenza/structure/region_source/region_source.h"

#include <map>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "cadenza/base/file.h"
#include "cadenza/checkpoint/zip.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/image/encode.h"
#include "cadenza/structure/felzenszwalb.h"
#include "cadenza/structure/mask/label_map_file.h"
#include "cadenza/structure/region_source/mask_tree.h"
#include "cadenza/structure/region_source/region_maker.h"
#include "cadenza/structure/slic.h"
#include "cadenza/tensor/picture.h"

namespace cadenza {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

/// The message of the Error that `action` throws with this code.
template <class Action>
std::string refusal(const Action& action, ErrorCode code) {
  const auto error = error_of(action);
  EXPECT_EQ(error.code(), code) << error.what();
  return error.what();
}

struct Warnings : Progress {
  void warn(std::string_view message) override { messages.emplace_back(message); }
  std::vector<std::string> messages;
};

/// Dark left, bright right, with a grey square.
Image picture(std::int64_t height, std::int64_t width) {
  Image image{height, width, 3, {}};
  for (std::int64_t y = 0; y < height; ++y) {
    for (std::int64_t x = 0; x < width; ++x) {
      const bool is_square = y > height / 4 && y < height / 2 && x > width / 8 && x < width / 3;
      const int value = is_square ? 120 : 2 * x < width ? 30 : 220;
      for (int channel = 0; channel < 3; ++channel) image.pixels.push_back(std::uint8_t(value));
    }
  }
  return image;
}

/// Every pixel its own id: 1 + y * width + x.
RegionMap numbered(std::int64_t height, std::int64_t width) {
  RegionMap map{height, width, {}};
  for (std::int32_t pixel = 0; pixel < height * width; ++pixel) map.ids.push_back(1 + pixel);
  return map;
}

class Maps : public testing::Test {
 protected:
  Maps() {
    sample_.file = folder_.path() / "data/bottle/train/good/000.jpg";
    std::filesystem::create_directories(sample_.file.parent_path());
    write_file(sample_.file, encode_png(picture(20, 30)));
    input_.needs_structure = true;
  }

  void put(const std::string& place, const std::vector<std::byte>& bytes) {
    const auto path = folder_.path() / place;
    std::filesystem::create_directories(path.parent_path());
    write_file(path, bytes);
  }

  at::Tensor map_of(const RegionSource& source) {
    return source(sample_, image_of(prepare_pixels(picture(20, 30), input_)));
  }

  TemporaryFolder folder_;
  Sample sample_;
  InputSpec input_{.height_px = 16, .width_px = 16};
  Warnings warnings_;
};

TEST_F(Maps, AreMadeOfThePreparedPicture) {
  const auto prepared = image_of(prepare_pixels(picture(20, 30), input_));
  const std::map<std::string, RegionMap> expected{
      {"felzenszwalb", felzenszwalb(prepared, {.scale = 100})}, {"slic", slic(prepared)}};
  for (const auto& [structure, map] : expected) {
    input_.structure = structure;
    const auto found = map_of(make_region_source(input_, {}, {}, warnings_));
    ASSERT_EQ(found.sizes(), at::IntArrayRef({16, 16}));
    const auto* ids = found.const_data_ptr<std::int32_t>();
    EXPECT_EQ(std::vector(ids, ids + 256), map.ids);
  }
  EXPECT_THAT(warnings_.messages, SizeIs(0));
}

TEST_F(Maps, AreNotAskedForInVain) {
  input_.needs_structure = false;
  EXPECT_FALSE(make_region_source(input_, "/nowhere", {}, warnings_));
}

TEST_F(Maps, OfAFolderLieOnThePictureAsTheNetworkSeesIt) {
  // The map is finer than the rectangle, of the same size, coarser; the picture is squashed.
  for (const auto& [height, width] : {std::pair{40, 60}, {16, 16}, {4, 8}}) {
    put("maps/bottle/train/good/000.png", encode_label_map(numbered(height, width)));
    const auto found = map_of(make_region_source(input_, folder_.path() / "maps", {}, warnings_));
    for (const auto& [y, x] : {std::pair{0, 0}, {0, 15}, {7, 3}, {15, 15}}) {
      const int row = int((y + 0.5) / 16 * height), column = int((x + 0.5) / 16 * width);
      EXPECT_EQ(found[y][x].item<int>(), 1 + row * width + column) << height << 'x' << width;
    }
  }
}

TEST_F(Maps, OfAFolderAreCutAsThePictureIs) {
  // 20 x 30 becomes 16 x 24, of which columns 4 to 19 are seen: 5 to 25 of 30.
  input_.fit = Fit::kShortSideCrop;
  put("maps/bottle/train/good/000.png", encode_label_map(numbered(20, 30)));
  const auto found = map_of(make_region_source(input_, folder_.path() / "maps", {}, warnings_));
  EXPECT_EQ(found[0][0].item<int>(), 1 + 0 * 30 + int(4.5 / 24 * 30));
  EXPECT_EQ(found[15][15].item<int>(), 1 + 19 * 30 + int(19.5 / 24 * 30));
}

TEST_F(Maps, OfAnArchiveAreThoseOfTheFolder) {
  const auto bytes = encode_label_map_8bit(numbered(5, 5));
  for (const std::string top : {"", "mvtec2d-sam-b/"}) {
    // As the authors': a PNG under the picture's own name.
    const auto archive = write_zip(
        {{top + "bottle/train/good/000.jpg", bytes}, {top + "bottle/train/good/001.jpg", bytes}});
    put("maps.zip", archive);
    const MaskTree tree(folder_.path() / "maps.zip");
    EXPECT_EQ(tree.find(sample_.file).ids, numbered(5, 5).ids);
  }
}

TEST_F(Maps, TheLongestEndOfThePathWins) {
  put("maps/000.png", encode_label_map(numbered(2, 2)));
  const MaskTree tree(folder_.path() / "maps");
  EXPECT_THAT(tree.find(sample_.file).ids, SizeIs(4));
  put("maps/good/000.png", encode_label_map(numbered(3, 3)));
  EXPECT_THAT(tree.find(sample_.file).ids, SizeIs(9));
}

TEST_F(Maps, ThatAreMissingAreNamed) {
  put("maps/bottle/train/good/001.png", encode_label_map(numbered(2, 2)));
  const MaskTree tree(folder_.path() / "maps");
  EXPECT_THAT(refusal([&] { tree.find(sample_.file); }, ErrorCode::kNotFound),
              AllOf(HasSubstr("train/good/000.jpg: no region map of it in"),
                    HasSubstr("good/000.png"), HasSubstr("data masks")));
  EXPECT_THAT(refusal([&] { MaskTree(folder_.path() / "nowhere"); }, ErrorCode::kNotFound),
              HasSubstr("nowhere"));
}

TEST_F(Maps, OfAMethodThatCannotBeHadAreFelzenszwalbs) {
  const auto expected =
      felzenszwalb(image_of(prepare_pixels(picture(20, 30), input_)), {.scale = 100});
  for (const std::string structure : {"sam", "folder"}) {
    input_.structure = structure;
    const NetworkEnvironment environment{.weights_folder = folder_.path()};
    const auto found = map_of(make_region_source(input_, {}, environment, warnings_));
    EXPECT_EQ(found.max().item<int>(), *std::ranges::max_element(expected.ids));
    EXPECT_THAT(warnings_.messages.back(), AllOf(HasSubstr(structure), HasSubstr("felzenszwalb")));
  }
  EXPECT_THAT(warnings_.messages, SizeIs(2));
  input_.structure = "watershed";
  EXPECT_THAT(
      refusal([&] { make_region_source(input_, {}, {}, warnings_); }, ErrorCode::kInvalidArgument),
      HasSubstr("'watershed': expected felzenszwalb, slic, sam or folder"));
}

TEST(RegionMaker, TakesTheOptionsOfItsMethod) {
  const auto image = picture(40, 40);
  const auto ids = [&](std::string_view method, const OptionTexts& given) {
    return make_region_maker(method, given, {})(image, {}).ids;
  };
  EXPECT_EQ(ids("felzenszwalb", {{"scale", "300"}, {"min_size", "50"}}),
            felzenszwalb(image, {.scale = 300, .min_size_px = 50}).ids);
  EXPECT_EQ(ids("slic", {{"n_segments", "9"}, {"compactness", "3"}}),
            slic(image, {.n_segments = 9, .compactness = 3}).ids);
  const OptionTexts sam{{"network", "sam_test"},
                        {"weights", "random:3"},
                        {"points_per_side", "4"},
                        {"pred_iou_thresh", "0"},
                        {"stability_score_thresh", "0"}};
  EXPECT_THAT(ids("sam", sam), SizeIs(1600));
  EXPECT_THAT(refusal([&] { ids("slic", {{"scale", "3"}}); }, ErrorCode::kInvalidArgument),
              HasSubstr("masks 'slic'"));
  EXPECT_THAT(refusal([&] { ids("watershed", {}); }, ErrorCode::kNotFound),
              HasSubstr("known: sam, slic, felzenszwalb"));
}

}  // namespace
}  // namespace cadenza
