// 1. Colours to [0,1], smoothed.
// 2. Every pixel has an edge to its right, lower, lower right and upper right neighbour, weighted
// by
//    the Euclidean distance of their colours.
// 3. Edges in ascending order join two regions if the weight is below the inner weight of each plus
//    scale / size; the joined region's inner weight is that of the edge.
// 4. Edges in the same order join regions that are smaller than min_size_px.
#include "cadenza/structure/felzenszwalb.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "cadenza/base/error.h"
#include "cadenza/structure/smooth.h"

namespace cadenza {

namespace {

class Forest {
 public:
  explicit Forest(std::size_t n_pixels)
      : parent_(n_pixels), size_px_(n_pixels, 1), inner_weight_(n_pixels, 0) {
    std::iota(parent_.begin(), parent_.end(), 0);
  }

  std::int32_t root(std::int32_t pixel) {
    while (parent_[std::size_t(pixel)] != pixel) {
      auto& above = parent_[std::size_t(pixel)];
      above = parent_[std::size_t(above)];
      pixel = above;
    }
    return pixel;
  }

  /// The smaller number becomes the root, so that ids do not depend on the order of joins.
  void join(std::int32_t a, std::int32_t b, double weight) {
    const auto [root, child] = std::minmax(a, b);
    parent_[std::size_t(child)] = root;
    size_px_[std::size_t(root)] += size_px_[std::size_t(child)];
    inner_weight_[std::size_t(root)] = weight;
  }

  std::int64_t size_px(std::int32_t root) const { return size_px_[std::size_t(root)]; }
  double inner_weight(std::int32_t root) const { return inner_weight_[std::size_t(root)]; }

 private:
  std::vector<std::int32_t> parent_;
  std::vector<std::int64_t> size_px_;
  std::vector<double> inner_weight_;
};

struct Edge {
  double weight;
  std::int32_t from, to;
};

std::vector<Edge> sorted_edges(const Planes& picture) {
  const std::int64_t height = picture.height_px, width = picture.width_px;
  std::vector<Edge> edges;
  edges.reserve(static_cast<std::size_t>(4 * height * width));
  const auto add = [&](std::int64_t y, std::int64_t x, std::int64_t other_y, std::int64_t other_x) {
    if (other_y < 0 || other_y >= height || other_x >= width) return;
    const double *a = picture.at(y, x), *b = picture.at(other_y, other_x);
    double squares = 0;
    for (std::int64_t channel = 0; channel < picture.n_channels; ++channel) {
      squares += (a[channel] - b[channel]) * (a[channel] - b[channel]);
    }
    edges.push_back(
        {std::sqrt(squares), std::int32_t(y * width + x), std::int32_t(other_y * width + other_x)});
  };
  const std::array<std::array<int, 2>, 4> steps = {{{0, 1}, {1, 0}, {1, 1}, {-1, 1}}};
  for (const auto& [down, right] : steps) {
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) add(y, x, y + down, x + right);
    }
  }
  std::ranges::stable_sort(edges, {}, &Edge::weight);
  return edges;
}

}  // namespace

RegionMap felzenszwalb(const Image& image, const FelzenszwalbOptions& options) {
  CADENZA_REQUIRE(options.scale >= 0 && options.sigma >= 0 && options.min_size_px >= 0,
                  ErrorCode::kInvalidArgument, "felzenszwalb: scale ", options.scale, ", sigma ",
                  options.sigma, ", min_size_px ", options.min_size_px, ": none may be negative");
  CADENZA_REQUIRE(!image.pixels.empty(), ErrorCode::kInvalidArgument, "felzenszwalb: empty image");
  Planes colours{image.height_px, image.width_px, image.n_channels, {}};
  for (const auto value : image.pixels) colours.values.push_back(value / 255.);
  const auto edges = sorted_edges(smooth(colours, options.sigma));

  Forest forest(static_cast<std::size_t>(image.height_px * image.width_px));
  const double scale = options.scale / 255;
  for (const auto& edge : edges) {
    const auto a = forest.root(edge.from), b = forest.root(edge.to);
    if (a == b) continue;
    const auto limit = [&](std::int32_t root) {
      return forest.inner_weight(root) + scale / double(forest.size_px(root));
    };
    if (edge.weight < std::min(limit(a), limit(b))) forest.join(a, b, edge.weight);
  }
  for (const auto& edge : edges) {
    const auto a = forest.root(edge.from), b = forest.root(edge.to);
    if (a == b) continue;
    if (std::min(forest.size_px(a), forest.size_px(b)) < options.min_size_px) {
      forest.join(a, b, edge.weight);
    }
  }

  RegionMap regions{image.height_px, image.width_px, {}};
  regions.ids.resize(static_cast<std::size_t>(image.height_px * image.width_px));
  std::int32_t n_regions = 0;
  for (std::size_t pixel = 0; pixel < regions.ids.size(); ++pixel) {
    const auto root = static_cast<std::size_t>(forest.root(std::int32_t(pixel)));
    if (root == pixel) ++n_regions;
    regions.ids[pixel] = root == pixel ? n_regions : regions.ids[root];
  }
  return regions;
}

}  // namespace cadenza
