#include "cadenza/structure/region_source/region_maker.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "cadenza/base/error.h"
#include "cadenza/structure/felzenszwalb.h"
#include "cadenza/structure/mask/label_map.h"
#include "cadenza/structure/sam_masks/mask_generator.h"
#include "cadenza/structure/slic.h"

namespace cadenza {

namespace {

std::vector<OptionSpec> felzenszwalb_table() {
  return {
      real_option("scale", 1, 0, 1e9, "larger: larger regions"),
      real_option("sigma", 0.8, 0, 100, "of the Gaussian before the grouping, in pixels"),
      integer_option("min_size", 20, 0, 1 << 30, "smaller regions join a neighbour, in pixels")};
}

RegionMaker make_felzenszwalb(const Options& options) {
  const FelzenszwalbOptions how{.scale = options.real("scale"),
                                .sigma = options.real("sigma"),
                                .min_size_px = static_cast<int>(options.integer("min_size"))};
  return [how](const Image& image, const std::stop_token&) { return felzenszwalb(image, how); };
}

std::vector<OptionSpec> slic_table() {
  return {integer_option("n_segments", 100, 1, 1 << 24, "about as many regions come out"),
          real_option("compactness", 10, 1e-6, 1e9, "larger: squarer regions"),
          integer_option("max_num_iter", 10, 1, 10000, "rounds of k-means")};
}

RegionMaker make_slic(const Options& options) {
  const SlicOptions how{.n_segments = static_cast<int>(options.integer("n_segments")),
                        .compactness = options.real("compactness"),
                        .max_iterations = static_cast<int>(options.integer("max_num_iter"))};
  return [how](const Image& image, const std::stop_token&) { return slic(image, how); };
}

std::vector<OptionSpec> sam_table() {
  return {
      choice_option("network", "sam_vit_b", {"sam_vit_b", "sam_vit_l", "sam_vit_h", "sam_test"},
                    "which Segment Anything"),
      text_option("weights", "", "its .safetensors file; empty: that of the weights folder"),
      choice_option("precision", "f32", {"auto", "f32", "bf16"}, "of the image encoder's numbers"),
      integer_option("points_per_side", 32, 1, 1024, "the grid of points that is asked about"),
      integer_option("points_per_batch", 64, 1, 1 << 20,
                     "answers held at once; memory, not results"),
      real_option("pred_iou_thresh", 0.88, 0, 1, "keep masks whose expected quality is above"),
      real_option("stability_score_thresh", 0.95, 0, 1, "keep masks at least as stable"),
      real_option("stability_score_offset", 1, 0, 1e6, "of the two cuts whose areas are compared"),
      real_option("box_nms_thresh", 0.7, 0, 1, "boxes that overlap more are one thing"),
      integer_option("crop_n_layers", 0, 0, 4, "each further one cuts the picture finer"),
      real_option("crop_nms_thresh", 0.7, 0, 1, "as box_nms_thresh, between crops"),
      real_option("crop_overlap_ratio", 512.0 / 1500, 0, 1, "of neighbouring crops"),
      integer_option("crop_n_points_downscale_factor", 1, 1, 1024,
                     "points per side are divided by it at each layer"),
      integer_option("min_mask_region_area", 0, 0, 1 << 30,
                     "smaller holes are filled and islands dropped, in pixels")};
}

RegionMaker make_sam(const Options& options, const NetworkEnvironment& environment) {
  const auto integer = [&](const char* name) { return static_cast<int>(options.integer(name)); };
  const auto predictor =
      std::make_shared<const SamPredictor>(SamRequest{.network = options.text("network"),
                                                      .weights = options.text("weights"),
                                                      .precision = options.text("precision")},
                                           environment);
  const SamMaskOptions how{.points_per_side = integer("points_per_side"),
                           .points_per_batch = integer("points_per_batch"),
                           .iou_threshold = options.real("pred_iou_thresh"),
                           .stability_threshold = options.real("stability_score_thresh"),
                           .stability_offset = options.real("stability_score_offset"),
                           .box_overlap = options.real("box_nms_thresh"),
                           .crop_layers = integer("crop_n_layers"),
                           .crop_box_overlap = options.real("crop_nms_thresh"),
                           .crop_overlap = options.real("crop_overlap_ratio"),
                           .crop_point_divisor = integer("crop_n_points_downscale_factor"),
                           .min_region_px = options.integer("min_mask_region_area")};
  const auto generator = std::make_shared<const SamMaskGenerator>(predictor, how);
  return [generator](const Image& image, std::stop_token stop) {
    std::vector<RunLengths> runs;
    for (auto& mask : generator->find(image, std::move(stop))) runs.push_back(std::move(mask.runs));
    return paint_masks(runs, image.height_px, image.width_px);
  };
}

}  // namespace

std::span<const std::string> region_methods() {
  static const std::array<std::string, 3> names{"sam", "slic", "felzenszwalb"};
  return names;
}

std::vector<OptionSpec> region_options(std::string_view method) {
  if (method == "sam") return sam_table();
  if (method == "slic") return slic_table();
  CADENZA_REQUIRE(method == "felzenszwalb", ErrorCode::kNotFound,
                  "no way to make region maps named '", method,
                  "'; known: sam, slic, felzenszwalb");
  return felzenszwalb_table();
}

RegionMaker make_region_maker(std::string_view method, const OptionTexts& given,
                              const NetworkEnvironment& environment) {
  const auto table = region_options(method);
  const Options options(cat("masks '", method, "'"), table, given);
  if (method == "sam") return make_sam(options, environment);
  return method == "slic" ? make_slic(options) : make_felzenszwalb(options);
}

}  // namespace cadenza
