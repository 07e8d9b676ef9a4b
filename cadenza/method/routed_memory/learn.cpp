#include "cadenza/method/routed_memory/learn.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <set>
#include <string>
#include <utility>

#include <ATen/ATen.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/base/rng.h"
#include "cadenza/memory/conformal.h"
#include "cadenza/memory/coreset.h"
#include "cadenza/memory/row_sample.h"
#include "cadenza/method/routed_memory/score.h"

namespace cadenza::routed_memory {
namespace {

constexpr std::int64_t kBatch = 8;
constexpr std::uint64_t kKeptBytes = std::uint64_t{256} << 20;
constexpr double kLeastDeviation = 0.02;        // floor of b_l
constexpr double kLeastSpread = 0.1;            // floor of B_t
constexpr float kSameSquared = 1e-9F;           // of two cells that are one
constexpr double kLowVariety = 0.05;            // mean a_l below which normals are all alike
constexpr double kPriorTypicalDistance = 0.55;  // g_med
constexpr MapRange kPriorResidualRange{.median = 0, .high = 1.4};
/// Share of left-out normals' map cells that may exceed the mark.
constexpr double kMapQuantile = 0.995;

struct Norm {
  double mean, deviation;
};

/// a_l, b_l before a product has its own: the means over four products on the default layers.
Norm prior_norm(std::size_t layer) {
  constexpr std::array<Norm, 4> kPriors{{{.71, .075}, {.83, .083}, {.62, .080}, {.55, .077}}};
  return kPriors[std::min(layer, kPriors.size() - 1)];
}

void require_running(const TrainContext& context) {
  CADENZA_REQUIRE(!context.stop.stop_requested(), ErrorCode::kCancelled, "training was stopped");
}

/// numpy's default quantile.
double quantile(std::vector<float> values, double share) {
  const double place = share * static_cast<double>(values.size() - 1);
  const auto below = static_cast<std::size_t>(place);
  const auto nth = [&](std::size_t index) {
    const auto at = values.begin() + static_cast<std::ptrdiff_t>(index);
    std::nth_element(values.begin(), at, values.end());
    return static_cast<double>(*at);
  };
  const double low = nth(below);
  if (below + 1 == values.size()) return low;
  return low + (place - static_cast<double>(below)) * (nth(below + 1) - low);
}

MapRange range_of(const std::vector<float>& cells) {
  return {quantile(cells, 0.5), quantile(cells, 0.99)};
}

void append(std::vector<float>& all, const at::Tensor& values) {
  const auto flat = values.contiguous();
  all.insert(all.end(), flat.const_data_ptr<float>(), flat.const_data_ptr<float>() + flat.numel());
}

/// The pictures to learn, each once, and their features: kept while there is room, else read again.
class Pictures {
 public:
  Pictures(const FeatureReader& reader, const TaskData& data, const TrainContext& context)
      : reader_(reader), data_(data), context_(context) {
    std::set<std::string> seen;
    context_.progress->begin(cat(data.tasks()[0].name, ": features"), data.size());
    for (std::int64_t first = 0; first < data.size(); first += kBatch) {
      require_running(context_);
      const auto last = std::min(first + kBatch, data.size());
      const auto images = data.images(first, last);
      std::vector<std::int64_t> fresh;
      std::vector<std::string> digests;
      for (std::int64_t row = 0; row < images.size(0); ++row) {
        auto digest = tensor_digest(images[row]);
        if (!seen.insert(digest).second) continue;
        fresh.push_back(row);
        digests.push_back(std::move(digest));
      }
      if (!fresh.empty()) take(first, images.index_select(0, at::tensor(fresh)), fresh, digests);
      context_.progress->advance(last - first);
    }
    context_.progress->end();
    n_duplicates_ = data.size() - size();
  }

  std::int64_t size() const noexcept { return std::ssize(rows_); }
  std::int64_t n_duplicates() const noexcept { return n_duplicates_; }
  /// Of the data.
  std::int64_t row(std::int64_t image) const { return rows_[static_cast<std::size_t>(image)]; }

  ImageFeatures features(std::int64_t image) const {
    require_running(context_);
    const auto index = static_cast<std::size_t>(image);
    if (index < kept_.size()) return kept_[index];
    return reader_.read(data_.images(row(image), row(image) + 1), {digests_[index]})[0];
  }

 private:
  void take(std::int64_t first, const at::Tensor& images, const std::vector<std::int64_t>& fresh,
            const std::vector<std::string>& digests) {
    auto features = reader_.read(images, digests);
    for (std::size_t at = 0; at < fresh.size(); ++at) {
      rows_.push_back(first + fresh[at]);
      digests_.push_back(digests[at]);
      // Kept is a prefix of the pictures: once one has no room, none behind it is kept.
      if (kept_.size() + 1 != rows_.size() || n_bytes_ + features[at].n_bytes > kKeptBytes)
        continue;
      n_bytes_ += features[at].n_bytes;
      kept_.push_back(std::move(features[at]));
    }
  }

  const FeatureReader& reader_;
  const TaskData& data_;
  const TrainContext& context_;
  std::vector<std::int64_t> rows_;
  std::vector<std::string> digests_;
  std::vector<ImageFeatures> kept_;
  std::uint64_t n_bytes_ = 0;
  std::int64_t n_duplicates_ = 0;
};

/// Steps 2 and 3 for every layer.
std::vector<LayerMemory> select_banks(const FeatureReader& reader, const Pictures& pictures,
                                      const std::string& task, const LearnOptions& options,
                                      const TrainContext& context) {
  const auto& layers = reader.views().layers;
  std::vector<RowSample> candidates;
  std::vector<Rng> random;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    random.emplace_back(context.seed, cat("routed_memory ", task, " layer ", layer + 1));
    const auto& shape = layers[layer].shape;
    const auto n_cells = pictures.size() * shape[2] * shape[3];
    candidates.emplace_back(n_cells, layers[layer].channels, options.candidates, random.back());
  }
  for (std::int64_t image = 0; image < pictures.size(); ++image) {
    const auto features = pictures.features(image);
    for (std::size_t layer = 0; layer < layers.size(); ++layer) {
      const auto& cells = features.layers[layer];
      candidates[layer].take(image * cells.size(0), cells);
    }
  }

  context.progress->begin(cat(task, ": memory"), std::ssize(layers) * options.memory_size);
  std::vector<LayerMemory> memories;
  for (std::size_t layer = 0; layer < layers.size(); ++layer) {
    const auto& rows = candidates[layer].rows();
    const auto cells_of_image = layers[layer].shape[2] * layers[layer].shape[3];
    const auto first =
        static_cast<std::int64_t>(random[layer].below(static_cast<std::uint64_t>(rows.size(0))));
    const auto picked = select_coreset(rows, std::min(options.memory_size, rows.size(0)),
                                       {.first = first, .nearest_squared = kSameSquared},
                                       context.stop, *context.progress);
    const auto picked_rows = at::tensor(picked);
    const auto picked_numbers = candidates[layer].numbers().index_select(0, picked_rows);
    LayerMemory memory{.bank = encode_bank(rows.index_select(0, picked_rows),
                                           picked_numbers.floor_divide(cells_of_image),
                                           picked_numbers.remainder(cells_of_image), options.code)};
    memory.packed = PackedBank(memory.bank.rows());
    memories.push_back(std::move(memory));
  }
  context.progress->end();
  return memories;
}

/// Of one image, by layer; +inf where no entry is another image's.
using Residuals = std::vector<std::vector<float>>;

/// Step 4.
std::vector<Residuals> left_out_residuals(const Product& product, const Pictures& pictures,
                                          const TrainContext& context, const std::string& task) {
  std::vector<Residuals> all;
  context.progress->begin(cat(task, ": calibration"), pictures.size());
  for (std::int64_t image = 0; image < pictures.size(); ++image) {
    const auto features = pictures.features(image);
    Residuals residuals;
    for (std::size_t layer = 0; layer < product.layers.size(); ++layer) {
      const auto& memory = product.layers[layer];
      const auto& cells = features.layers[layer];
      const auto n_cells = static_cast<std::size_t>(cells.size(0));
      std::vector<float> distance(n_cells);
      std::vector<std::int32_t> entry(n_cells);
      const auto& owners = memory.bank.owners;
      memory.packed.search_without(
          static_cast<std::int32_t>(image),
          {owners.const_data_ptr<std::int32_t>(), static_cast<std::size_t>(owners.numel())},
          {cells.const_data_ptr<float>(), static_cast<std::size_t>(cells.numel())}, distance,
          entry);
      residuals.push_back(std::move(distance));
    }
    all.push_back(std::move(residuals));
    context.progress->advance(1);
  }
  context.progress->end();
  return all;
}

bool all_defined(const std::vector<Residuals>& all) {
  return std::ranges::all_of(all, [](const Residuals& image) {
    return std::ranges::all_of(image, [](const std::vector<float>& layer) {
      return std::ranges::all_of(layer, [](float value) { return std::isfinite(value); });
    });
  });
}

Norm norm_of(const std::vector<Residuals>& all, std::size_t layer) {
  double sum = 0, squares = 0, n = 0;
  for (const auto& image : all) {
    for (const double value : image[layer]) {
      sum += value;
      squares += value * value;
      ++n;
    }
  }
  const double mean = sum / n;
  return {mean, std::max(std::sqrt(std::max(squares / n - mean * mean, 0.0)), kLeastDeviation)};
}

double median(const std::vector<float>& values) { return quantile(values, 0.5); }

float mean(const std::vector<float>& values) {
  double sum = 0;
  for (const float value : values) sum += value;
  return static_cast<float>(sum / static_cast<double>(values.size()));
}

/// Steps 5 and 6; returns the left-out maps D.
std::vector<at::Tensor> calibrate(Product& product, const Views& views,
                                  const std::vector<Residuals>& left_out) {
  const bool is_defined = all_defined(left_out);
  product.is_calibrated = is_defined && std::ssize(left_out) >= kLeastForThreshold;
  for (std::size_t layer = 0; layer < product.layers.size(); ++layer) {
    const auto norm = product.is_calibrated ? norm_of(left_out, layer) : prior_norm(layer);
    product.layers[layer].mean = norm.mean;
    product.layers[layer].deviation = norm.deviation;
  }
  product.typical_distance = kPriorTypicalDistance;
  if (!is_defined) return {};
  std::vector<at::Tensor> maps;
  for (const auto& residuals : left_out) {
    maps.push_back(residual_map(views, product, residuals));
    product.scores.push_back(top_mean(maps.back(), n_top_cells(views)));
    product.distances.push_back(mean(residuals.back()));
  }
  // The floor keeps the ratio finite when all normals are one picture but for a few bits.
  const double own = std::max(median(product.distances), kLeastDeviation);
  product.typical_distance = product.is_calibrated ? own : std::max(own, kPriorTypicalDistance);
  return maps;
}

/// Step 7.
void learn_maps(Product& product, const FeatureReader& reader, const Pictures& pictures,
                const std::vector<at::Tensor>& left_out_maps) {
  const auto& views = reader.views();
  if (product.is_calibrated) {
    std::vector<float> cells;
    for (const auto& map : left_out_maps) append(cells, map);
    product.residual_range = range_of(cells);
  } else {
    product.residual_range = kPriorResidualRange;
  }
  std::vector<MapViewSums> sums(views.map_layers.size());
  for (std::int64_t image = 0; image < pictures.size() && !sums.empty(); ++image) {
    const auto features = pictures.features(image);
    for (std::size_t index = 0; index < sums.size(); ++index) {
      sums[index].add(features.map_layers[index]);
    }
  }
  for (const auto& sum : sums) product.map_views.push_back(sum.view());

  std::vector<std::vector<at::Tensor>> distances(static_cast<std::size_t>(pictures.size()));
  std::vector<std::vector<float>> of_view(sums.size());
  for (std::int64_t image = 0; image < pictures.size() && !sums.empty(); ++image) {
    const auto features = pictures.features(image);
    for (std::size_t index = 0; index < sums.size(); ++index) {
      auto values = distance(product.map_views[index], features.map_layers[index]);
      append(of_view[index], values);
      distances[static_cast<std::size_t>(image)].push_back(std::move(values));
    }
  }
  for (std::size_t index = 0; index < sums.size(); ++index) {
    const auto all = at::from_blob(of_view[index].data(), {std::ssize(of_view[index])}, at::kFloat)
                         .to(at::kDouble);
    product.map_views[index].centre = all.mean().item<double>();
    product.map_views[index].spread =
        std::max(all.std(/*unbiased=*/false).item<double>(), kLeastSpread);
  }

  std::vector<at::Tensor> gaussian_maps(distances.size());
  std::vector<float> gaussian_cells;
  for (std::size_t image = 0; image < distances.size() && !sums.empty(); ++image) {
    gaussian_maps[image] = gaussian_map(views, product, distances[image]);
    append(gaussian_cells, gaussian_maps[image]);
  }
  if (!sums.empty()) product.gaussian_range = range_of(gaussian_cells);
  if (!product.is_calibrated) return;
  std::vector<float> mixed;
  for (std::size_t image = 0; image < left_out_maps.size(); ++image) {
    append(mixed, mixed_map(product, left_out_maps[image], gaussian_maps[image]));
  }
  product.map_threshold = quantile(mixed, kMapQuantile);
}

/// What was done with which pictures: a digest of their digests stands for them.
std::string journal_of(const Product& product, const LearnOptions& options, std::uint64_t seed,
                       std::int64_t n_duplicates) {
  Sha256 hash;
  for (const auto& image : product.images) hash.add(image);
  const Json learned = {{"operation", "learn"},
                        {"images", product.images.size()},
                        {"duplicates", n_duplicates},
                        {"inputs", "sha256:" + hash.hex()},
                        {"seed", seed},
                        {"memory_size", options.memory_size},
                        {"candidates", options.candidates}};
  return Json::array({learned}).dump();
}

}  // namespace

Product learn(const FeatureReader& reader, const TaskData& data, const LearnOptions& options,
              const TrainContext& context) {
  const auto& task = data.tasks()[0].name;
  const Pictures pictures(reader, data, context);
  Product product;
  for (std::int64_t image = 0; image < pictures.size(); ++image) {
    product.images.emplace_back(data.digest(pictures.row(image)));
  }
  product.layers = select_banks(reader, pictures, task, options, context);
  const auto left_out = left_out_residuals(product, pictures, context, task);
  const auto maps = calibrate(product, reader.views(), left_out);
  learn_maps(product, reader, pictures, maps);
  product.journal = journal_of(product, options, context.seed, pictures.n_duplicates());

  if (pictures.n_duplicates() > 0) {
    context.progress->warn(cat(task, ": ", pictures.n_duplicates(),
                               " images show the same pixels as an earlier one and were left out"));
  }
  double mean_residual = 0;
  for (const auto& layer : product.layers) mean_residual += layer.mean;
  mean_residual /= static_cast<double>(product.layers.size());
  if (product.is_calibrated && mean_residual < kLowVariety) {
    context.progress->warn(cat(task,
                               ": low variety: these normals are nearly the same picture, and any "
                               "change will score high; teach from more lots"));
  }
  if (!product.is_calibrated) {
    context.progress->warn(cat(task, ": ", pictures.size(),
                               " different images give a ranking but no threshold; teach at least ",
                               kLeastForThreshold));
  }
  return product;
}

}  // namespace cadenza::routed_memory
