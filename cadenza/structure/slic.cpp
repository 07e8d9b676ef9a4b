// 1. Colours to [0,1] over the picture's own range; RGB becomes CIELAB; divided by compactness.
// 2. Centres on a regular grid of about n_segments.
// 3. Each pixel takes the nearest centre whose window (two grid steps each way) holds it, by
//    colour distance^2 + position distance^2 / step^2; each centre moves to the mean of its pixels.
// 4. Flood fill in raster order: regions below half the mean size join a neighbour, and one above
//    three times the mean size is cut.
#include "cadenza/structure/slic.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "cadenza/base/error.h"
#include "cadenza/structure/smooth.h"

namespace cadenza {

namespace {

/// sRGB in [0,1] to CIELAB under D65, 2 degrees.
std::array<double, 3> lab_of(const double* rgb) {
  std::array<double, 3> linear{};
  for (std::size_t c = 0; c < 3; ++c) {
    linear[c] = rgb[c] > 0.04045 ? std::pow((rgb[c] + 0.055) / 1.055, 2.4) : rgb[c] / 12.92;
  }
  const auto& [r, g, b] = linear;
  const auto curve = [](double t) { return t > 0.008856 ? std::cbrt(t) : 7.787 * t + 16. / 116.; };
  const double x = curve((0.412453 * r + 0.357580 * g + 0.180423 * b) / 0.95047);
  const double y = curve(0.212671 * r + 0.715160 * g + 0.072169 * b);
  const double z = curve((0.019334 * r + 0.119193 * g + 0.950227 * b) / 1.08883);
  return {116 * y - 16, 500 * (x - y), 200 * (y - z)};
}

Planes colours_of(const Image& image, double compactness) {
  Planes colours{image.height_px, image.width_px, image.n_channels, {}};
  const auto [low, high] = std::ranges::minmax(image.pixels);
  const double lowest = low / 255., range = high > low ? high / 255. - lowest : 1;
  for (const auto value : image.pixels) {
    colours.values.push_back((value / 255. - lowest) / range);
  }
  for (std::int64_t y = 0; y < image.height_px && image.n_channels == 3; ++y) {
    for (std::int64_t x = 0; x < image.width_px; ++x) {
      const auto lab = lab_of(colours.at(y, x));
      std::ranges::copy(lab, colours.at(y, x));
    }
  }
  for (double& value : colours.values) value *= 1 / compactness;
  return colours;
}

struct Grid {
  std::int64_t start_y, start_x, step_y, step_x;
};

/// A grid of about `n_points` points with equal steps; a side shorter than the step gets one row.
Grid regular_grid(std::int64_t height, std::int64_t width, int n_points) {
  // scikit-image treats the picture as a volume of depth 1, whose depth takes one point.
  const double shorter = double(std::min(height, width)), longer = double(std::max(height, width));
  if (double(n_points) >= shorter * longer) return {0, 0, 1, 1};
  double short_step = std::sqrt(shorter * longer / n_points), long_step = short_step;
  if (shorter < short_step) {
    short_step = shorter;
    long_step = longer / n_points;
  }
  const auto start = [](double step) { return static_cast<std::int64_t>(std::floor(step / 2)); };
  const auto whole = [](double step) { return static_cast<std::int64_t>(std::nearbyint(step)); };
  const double step_y = height <= width ? short_step : long_step;
  const double step_x = height <= width ? long_step : short_step;
  return {start(step_y), start(step_x), whole(step_y), whole(step_x)};
}

struct Centre {
  double y, x;
  std::array<double, 3> colour;
};

std::vector<std::int32_t> nearest_centres(const Planes& colours, const Grid& grid,
                                          int max_iterations, std::size_t& n_centres) {
  const std::int64_t height = colours.height_px, width = colours.width_px;
  std::vector<Centre> centres;
  for (auto y = grid.start_y; y < height; y += grid.step_y) {
    for (auto x = grid.start_x; x < width; x += grid.step_x) {
      centres.push_back({double(y), double(x), {}});
    }
  }
  n_centres = centres.size();
  const double step = double(std::max<std::int64_t>({grid.step_y, grid.step_x, 1}));
  const double position_weight = 1 / (step * step);
  std::vector<std::int32_t> nearest(static_cast<std::size_t>(height * width), 0);
  std::vector<double> distances(nearest.size());
  for (int iteration = 0; iteration < max_iterations; ++iteration) {
    std::ranges::fill(distances, std::numeric_limits<double>::max());
    bool has_changed = false;
    for (std::size_t index = 0; index < centres.size(); ++index) {
      const auto& centre = centres[index];
      const auto low = [](double position, std::int64_t reach) {
        return static_cast<std::int64_t>(std::max(position - double(2 * reach), 0.));
      };
      const auto high = [](double position, std::int64_t reach, std::int64_t size) {
        return static_cast<std::int64_t>(std::min(position + double(2 * reach + 1), double(size)));
      };
      for (auto y = low(centre.y, grid.step_y); y < high(centre.y, grid.step_y, height); ++y) {
        const double dy = (centre.y - double(y)) * (centre.y - double(y));
        for (auto x = low(centre.x, grid.step_x); x < high(centre.x, grid.step_x, width); ++x) {
          const double dx = (centre.x - double(x)) * (centre.x - double(x));
          double distance = (dy + dx) * position_weight;
          const double* const colour = colours.at(y, x);
          for (std::int64_t c = 0; c < colours.n_channels; ++c) {
            const double difference = colour[c] - centre.colour[std::size_t(c)];
            distance += difference * difference;
          }
          const auto pixel = static_cast<std::size_t>(y * width + x);
          if (distances[pixel] > distance) {
            nearest[pixel] = static_cast<std::int32_t>(index);
            distances[pixel] = distance;
            has_changed = true;
          }
        }
      }
    }
    if (!has_changed) break;

    std::vector<Centre> sums(centres.size());
    std::vector<double> counts(centres.size());
    for (std::int64_t y = 0; y < height; ++y) {
      for (std::int64_t x = 0; x < width; ++x) {
        const auto index = static_cast<std::size_t>(nearest[std::size_t(y * width + x)]);
        auto& sum = sums[index];
        counts[index] += 1;
        sum.y += double(y);
        sum.x += double(x);
        for (std::int64_t c = 0; c < colours.n_channels; ++c) {
          sum.colour[std::size_t(c)] += colours.at(y, x)[c];
        }
      }
    }
    for (std::size_t index = 0; index < centres.size(); ++index) {
      if (counts[index] == 0) continue;  // an empty centre stays where it was
      centres[index] = sums[index];
      centres[index].y /= counts[index];
      centres[index].x /= counts[index];
      for (double& value : centres[index].colour) value /= counts[index];
    }
  }
  return nearest;
}

RegionMap connected(const std::vector<std::int32_t>& nearest, std::int64_t height,
                    std::int64_t width, std::int64_t min_size_px, std::int64_t max_size_px) {
  RegionMap regions{height, width, std::vector<std::int32_t>(nearest.size(), 0)};
  constexpr std::array<std::array<int, 2>, 4> kSteps = {{{0, 1}, {0, -1}, {1, 0}, {-1, 0}}};
  std::int32_t next_id = 1;
  std::vector<std::int64_t> fill;
  for (std::int64_t first = 0; first < height * width; ++first) {
    if (regions.ids[std::size_t(first)] != 0) continue;
    const auto centre = nearest[std::size_t(first)];
    std::int32_t neighbour = 0;
    fill.assign(1, first);
    regions.ids[std::size_t(first)] = next_id;
    for (std::size_t visited = 0; visited < fill.size() && std::int64_t(fill.size()) < max_size_px;
         ++visited) {
      for (const auto& [down, right] : kSteps) {
        const auto y = fill[visited] / width + down, x = fill[visited] % width + right;
        if (y < 0 || x < 0 || y >= height || x >= width) continue;
        const auto pixel = static_cast<std::size_t>(y * width + x);
        if (nearest[pixel] == centre && regions.ids[pixel] == 0) {
          regions.ids[pixel] = next_id;
          fill.push_back(std::int64_t(pixel));
          if (std::int64_t(fill.size()) >= max_size_px) break;
        } else if (regions.ids[pixel] != 0 && regions.ids[pixel] != next_id) {
          neighbour = regions.ids[pixel];
        }
      }
    }
    if (std::int64_t(fill.size()) < min_size_px && neighbour != 0) {
      for (const auto pixel : fill) regions.ids[std::size_t(pixel)] = neighbour;
    } else {
      ++next_id;
    }
  }
  return regions;
}

}  // namespace

RegionMap slic(const Image& image, const SlicOptions& options) {
  CADENZA_REQUIRE(options.n_segments >= 1 && options.max_iterations >= 1 && options.compactness > 0,
                  ErrorCode::kInvalidArgument, "slic: n_segments ", options.n_segments,
                  ", max_iterations ", options.max_iterations, ", compactness ",
                  options.compactness, ": all must be positive");
  CADENZA_REQUIRE(!image.pixels.empty(), ErrorCode::kInvalidArgument, "slic: empty image");
  const auto colours = colours_of(image, options.compactness);
  const auto grid = regular_grid(image.height_px, image.width_px, options.n_segments);
  std::size_t n_centres = 0;
  const auto nearest = nearest_centres(colours, grid, options.max_iterations, n_centres);
  const double mean_size = double(nearest.size()) / double(n_centres);
  return connected(nearest, image.height_px, image.width_px,
                   static_cast<std::int64_t>(0.5 * mean_size),
                   static_cast<std::int64_t>(3 * mean_size));
}

}  // namespace cadenza
