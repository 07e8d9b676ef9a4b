// sam_masks NETWORK WEIGHTS RAW HEIGHT WIDTH OUT.json [OPTION=VALUE...]: the masks of a raw 8-bit
// RGB picture, with the stages' times on standard error, for bench/sam_parity.py.
#include <chrono>
#include <iostream>
#include <map>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/structure/mask/label_map.h"
#include "cadenza/structure/sam_masks/mask_generator.h"

namespace cadenza {
namespace {

SamMaskOptions options_of(const std::vector<std::string>& arguments) {
  std::map<std::string, double> given;
  for (std::size_t index = 7; index < arguments.size(); ++index) {
    const auto equals = arguments[index].find('=');
    given[arguments[index].substr(0, equals)] = std::stod(arguments[index].substr(equals + 1));
  }
  const auto value = [&](const std::string& name, double otherwise) {
    return given.contains(name) ? given.at(name) : otherwise;
  };
  return {.points_per_side = int(value("points_per_side", 32)),
          .points_per_batch = int(value("points_per_batch", 64)),
          .iou_threshold = value("pred_iou_thresh", 0.88),
          .stability_threshold = value("stability_score_thresh", 0.95),
          .stability_offset = value("stability_score_offset", 1),
          .box_overlap = value("box_nms_thresh", 0.7),
          .crop_layers = int(value("crop_n_layers", 0)),
          .crop_box_overlap = value("crop_nms_thresh", 0.7),
          .crop_overlap = value("crop_overlap_ratio", 512.0 / 1500),
          .crop_point_divisor = int(value("crop_n_points_downscale_factor", 1)),
          .min_region_px = std::int64_t(value("min_mask_region_area", 0))};
}

int run(const std::vector<std::string>& arguments) {
  CADENZA_REQUIRE(arguments.size() >= 7, ErrorCode::kInvalidArgument,
                  "usage: sam_masks NETWORK WEIGHTS RAW HEIGHT WIDTH OUT [OPTION=VALUE...]");
  const auto bytes = read_file(arguments[3]);
  const auto* first = reinterpret_cast<const std::uint8_t*>(bytes.data());
  const Image image{
      std::stoll(arguments[4]), std::stoll(arguments[5]), 3, {first, first + bytes.size()}};
  const auto predictor = std::make_shared<SamPredictor>(
      SamRequest{.network = arguments[1], .weights = arguments[2]}, NetworkEnvironment{});
  const auto options = options_of(arguments);
  const SamMaskGenerator generator(predictor, options);

  auto start = std::chrono::steady_clock::now();
  const auto lap = [&](const std::string& what) {
    const auto now = std::chrono::steady_clock::now();
    std::cerr << what << ": " << std::chrono::duration<double, std::milli>(now - start).count()
              << " ms\n";
    start = std::chrono::steady_clock::now();
  };
  const auto picture = predictor->look(image);
  lap("prepare and encode");
  std::vector<SamPredictor::Point> points;
  for (const auto& point : point_grid(options.points_per_side)) {
    points.push_back({point.x * double(image.width_px), point.y * double(image.height_px)});
  }
  points.resize(std::min<std::size_t>(points.size(), std::size_t(options.points_per_batch)));
  predictor->ask(picture, points);
  lap(cat("decode ", points.size(), " points"));
  const auto found = generator.find(image);
  lap("everything");
  std::vector<RunLengths> runs;
  for (const auto& mask : found) runs.push_back(mask.runs);
  const auto map = paint_masks(runs, image.height_px, image.width_px);
  lap("paint");

  Json masks = Json::array();
  for (const auto& mask : found) {
    masks.push_back({{"counts", mask.runs.counts},
                     {"box", {mask.box.left, mask.box.top, mask.box.right, mask.box.bottom}},
                     {"iou", mask.predicted_iou},
                     {"stability", mask.stability},
                     {"point", {mask.point.x, mask.point.y}}});
  }
  write_file_atomic(arguments[6], Json{{"masks", masks}, {"ids", map.ids}}.dump());
  return 0;
}

}  // namespace
}  // namespace cadenza

int main(int n_arguments, char** arguments) {
  try {
    return cadenza::run({arguments, arguments + n_arguments});
  } catch (const std::exception& error) {
    std::cerr << error.what() << '\n';
    return 2;
  }
}
