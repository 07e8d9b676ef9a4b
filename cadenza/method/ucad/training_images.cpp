#include "cadenza/method/ucad/training_images.h"

#include <ATen/ATen.h>
#include <c10/core/GradMode.h>

#include "cadenza/base/error.h"
#include "cadenza/continual/training_loop.h"
#include "cadenza/dataset/preprocess.h"
#include "cadenza/structure/felzenszwalb.h"
#include "cadenza/structure/slic.h"
#include "cadenza/tensor/picture.h"

namespace cadenza {
namespace {

constexpr std::int64_t kGridCells = 5;  ///< sides of structure=grid's squares

/// [1,rows*columns] int64
at::Tensor grid_labels(std::int64_t rows, std::int64_t columns) {
  const auto squares = [](std::int64_t n) { return at::arange(n).floor_divide(kGridCells); };
  const auto across = (columns + kGridCells - 1) / kGridCells;
  return (squares(rows).unsqueeze(1) * across + squares(columns)).view({1, -1});
}

at::Tensor region_map(const at::Tensor& pixels, const std::string& structure) {
  const auto picture = image_of(pixels);
  const auto map = structure == "slic" ? slic(picture) : felzenszwalb(picture, {.scale = 100});
  return at::tensor(map.ids, at::kInt).view({1, map.height_px, map.width_px});
}

at::Tensor joined(const at::Tensor& tokens, const at::Tensor& labels) {
  const auto column = at::constant_pad_nd(labels.to(at::kFloat), {1, 0}).unsqueeze(2);
  return at::cat({tokens, column}, 2);
}

}  // namespace

TrainingImages::TrainingImages(const PromptedVit& vit, const UcadSettings& settings,
                               const InputSpec& input, const TaskData& data,
                               const TrainContext& context)
    : vit_(vit),
      settings_(settings),
      input_(input),
      data_(data),
      context_(context),
      tokens_(static_cast<std::size_t>(data.size())),
      labels_(static_cast<std::size_t>(data.size())),
      room_bytes_(settings.cache_mb << 20) {}

void TrainingImages::require_running() const {
  CADENZA_REQUIRE(!context_.stop.stop_requested(), ErrorCode::kCancelled, "training of '",
                  step_name(data_), "' was stopped");
}

at::Tensor TrainingImages::tokens(std::span<const std::int64_t> rows) {
  require_running();
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> found, images;
  std::vector<std::size_t> missing;
  for (const auto row : rows) {
    const auto& kept = tokens_[static_cast<std::size_t>(row)];
    if (!kept.defined()) {
      missing.push_back(found.size());
      images.push_back(data_.images(row, row + 1));
    }
    found.push_back(kept);
  }
  if (!missing.empty()) {
    const auto computed = vit_.start(at::cat(images));
    for (std::size_t place = 0; place < missing.size(); ++place) {
      auto& one = found[missing[place]];
      one = computed[static_cast<std::int64_t>(place)];
      const auto n_bytes = static_cast<std::int64_t>(one.nbytes());
      if (n_bytes > room_bytes_) continue;
      room_bytes_ -= n_bytes;
      tokens_[static_cast<std::size_t>(rows[missing[place]])] = one.clone();
    }
  }
  return at::stack(found);
}

at::Tensor TrainingImages::cells(const at::Tensor& maps) const {
  return cell_labels(maps, vit_.rows(), vit_.columns(), settings_.label_rule);
}

at::Tensor TrainingImages::labels(std::int64_t row) {
  auto& known = labels_[static_cast<std::size_t>(row)];
  if (known.defined()) return known;
  if (settings_.structure == "grid") return known = grid_labels(vit_.rows(), vit_.columns());
  const auto map = data_.structure(row, row + 1);
  CADENZA_REQUIRE(map.has_value(), ErrorCode::kInvalidArgument, "training of '", step_name(data_),
                  "': method 'ucad' needs region maps of its images, and there are none; they come "
                  "with what opened the images, or set structure=grid");
  return known = cells(*map);
}

at::Tensor TrainingImages::fed(std::span<const std::int64_t> rows) {
  std::vector<at::Tensor> regions;
  for (const auto row : rows) regions.push_back(labels(row));
  return joined(tokens(rows), at::cat(regions));
}

at::Tensor TrainingImages::fed_pixels(const at::Tensor& pixels) const {
  require_running();
  const c10::NoGradGuard no_grad;
  std::vector<at::Tensor> regions;
  for (std::int64_t row = 0; row < pixels.size(0); ++row) {
    regions.push_back(settings_.structure == "grid"
                          ? grid_labels(vit_.rows(), vit_.columns())
                          : cells(region_map(pixels[row], settings_.structure)));
  }
  return joined(vit_.start(normalised(pixels, input_)), at::cat(regions));
}

Fed split_fed(const at::Tensor& fed) {
  const auto width = fed.size(2) - 1;
  return {.tokens = fed.slice(2, 0, width).contiguous(),
          .labels = fed.select(2, width).slice(1, 1).to(at::kLong)};
}

}  // namespace cadenza
