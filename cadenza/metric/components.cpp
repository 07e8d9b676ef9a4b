// 1. Each row is cut into runs of set pixels.
// 2. A run joins every run of the row above that it touches, corners included: union-find, the
//    smaller index stays root, so that a root is its component's first run in reading order.
// 3. Roots are numbered in order; runs write labels and add up area, box, centroid, maximum.
#include "cadenza/metric/components.h"

#include <algorithm>
#include <limits>

#include "cadenza/base/error.h"

namespace cadenza {
namespace {

struct Run {
  std::int64_t y, begin, end;  ///< columns [begin, end)
  std::int32_t parent;
};

std::int32_t root_of(std::vector<Run>& runs, std::int32_t run) {
  const auto at = [&](std::int32_t index) -> Run& { return runs[static_cast<std::size_t>(index)]; };
  while (at(run).parent != run) run = at(run).parent = at(at(run).parent).parent;
  return run;
}

void join(std::vector<Run>& runs, std::int32_t left, std::int32_t right) {
  left = root_of(runs, left);
  right = root_of(runs, right);
  runs[static_cast<std::size_t>(std::max(left, right))].parent = std::min(left, right);
}

/// The runs of the whole mask in reading order, joined across rows.
std::vector<Run> find_runs(std::span<const std::uint8_t> mask, std::int64_t height_px,
                           std::int64_t width_px) {
  std::vector<Run> runs;
  std::size_t above = 0, above_end = 0;  // the previous row's runs
  for (std::int64_t y = 0; y < height_px; ++y) {
    const auto row =
        mask.subspan(static_cast<std::size_t>(y * width_px), static_cast<std::size_t>(width_px));
    const auto row_start = runs.size();
    const auto is_set = [](std::uint8_t value) { return value != 0; };
    for (auto at = std::ranges::find_if(row, is_set); at != row.end();) {
      const auto end = std::find(at, row.end(), 0);
      const auto self = static_cast<std::int32_t>(runs.size());
      runs.push_back({y, at - row.begin(), end - row.begin(), self});
      const auto run = runs.back();
      while (above < above_end && runs[above].end < run.begin) ++above;
      for (auto touched = above; touched < above_end && runs[touched].begin <= run.end; ++touched) {
        join(runs, static_cast<std::int32_t>(touched), self);
      }
      at = std::find_if(end, row.end(), is_set);
    }
    above = row_start;
    above_end = runs.size();
  }
  return runs;
}

void add_run(Component& component, const Run& run) {
  const auto length = run.end - run.begin;
  const auto right = std::max(component.x + component.width, run.end);
  component.x = std::min(component.x, run.begin);
  component.width = right - component.x;
  component.height = run.y + 1 - component.y;
  component.area += length;
  component.centroid[0] += static_cast<double>((run.begin + run.end - 1) * length) / 2;
  component.centroid[1] += static_cast<double>(run.y * length);
}

/// The components; `on_run` learns of every run and its component's label.
template <class OnRun>
std::vector<Component> collect(std::span<const std::uint8_t> mask, std::int64_t height_px,
                               std::int64_t width_px, std::span<const float> scores,
                               const OnRun& on_run) {
  CADENZA_REQUIRE(height_px >= 0 && width_px >= 0 && std::ssize(mask) == height_px * width_px &&
                      (scores.empty() || scores.size() == mask.size()),
                  ErrorCode::kInvalidArgument, "components: expected ", height_px, " x ", width_px,
                  " pixels, found a mask of ", mask.size(), " and ", scores.size(), " scores");
  CADENZA_REQUIRE(std::ssize(mask) < std::numeric_limits<std::int32_t>::max(),
                  ErrorCode::kLimitExceeded, "components: ", mask.size(), " pixels, at most 2^31");
  auto runs = find_runs(mask, height_px, width_px);

  std::vector<Component> list;
  std::vector<std::int32_t> label_of_root(runs.size(), 0);
  for (std::size_t index = 0; index < runs.size(); ++index) {
    const auto root = root_of(runs, static_cast<std::int32_t>(index));
    auto& label = label_of_root[static_cast<std::size_t>(root)];
    const auto& run = runs[index];
    const auto first = static_cast<std::size_t>(run.y * width_px + run.begin);
    const auto length = static_cast<std::size_t>(run.end - run.begin);
    if (label == 0) {
      list.push_back({.x = run.begin, .y = run.y});
      if (!scores.empty()) list.back().max_score = scores[first];
      label = static_cast<std::int32_t>(list.size());
    }
    auto& component = list[static_cast<std::size_t>(label - 1)];
    add_run(component, run);
    on_run(first, length, label);
    if (!scores.empty()) {
      const auto largest = std::ranges::max(scores.subspan(first, length));
      component.max_score = std::max(component.max_score, largest);
    }
  }
  for (auto& component : list) {
    for (auto& coordinate : component.centroid) coordinate /= static_cast<double>(component.area);
  }
  return list;
}

}  // namespace

std::vector<Component> list_components(std::span<const std::uint8_t> mask, std::int64_t height_px,
                                       std::int64_t width_px, std::span<const float> scores) {
  return collect(mask, height_px, width_px, scores, [](auto...) {});
}

Components label_components(std::span<const std::uint8_t> mask, std::int64_t height_px,
                            std::int64_t width_px, std::span<const float> scores) {
  Components result;
  result.labels.assign(mask.size(), 0);
  result.list = collect(mask, height_px, width_px, scores,
                        [&](std::size_t first, std::size_t length, std::int32_t label) {
                          const auto run = std::span(result.labels).subspan(first, length);
                          std::ranges::fill(run, label);
                        });
  return result;
}

}  // namespace cadenza
