#include "cadenza/experiment/metric_meter.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/experiment/pixel_truth.h"
#include "cadenza/metric/pixel_meter.h"
#include "cadenza/metric/score_curve.h"

namespace cadenza {
namespace {

class MetricMeter final : public TaskMeter {
 public:
  explicit MetricMeter(const MeterOptions& options) : options_(options) {}

  void add(const Sample& truth, const Verdict& verdict) override {
    if (options_.has_pixels) add_pixels(truth, verdict.map);
    scores_.push_back(verdict.score.value());
    is_anomalous_.push_back(truth.is_defect ? 1 : 0);
  }

  MetricValues measure() const override {
    MetricValues metrics;
    const auto curve = ScoreCurve::of(scores_, is_anomalous_);
    put(metrics, "image_AUROC", curve.auroc());
    put(metrics, "image_AUPR", curve.average_precision());
    put(metrics, "image_F1Max", curve.f1_max());
    if (options_.has_pixels) measure_pixels(metrics);
    return metrics;
  }

 private:
  void add_pixels(const Sample& truth, const ScoreMap& map) {
    if (map.empty() || (truth.is_defect && truth.masks.empty())) {
      n_without_mask_ += truth.is_defect;
      return;
    }
    const bool saturates =
        options_.pixel_size == 0 && std::ranges::any_of(truth.masks, [](const MaskFile& mask) {
          return mask.saturation_px.has_value();
        });
    if (saturates) {
      add_channels(truth, map);
    } else {
      const auto pixels = pixel_truth(truth, map, options_.pixel_size).value();
      pixels_.add(pixels.map, pixels.mask, pixels.height_px, pixels.width_px);
    }
    has_defect_pixels_ |= truth.is_defect;
  }

  /// Each mask is one defect, found in full from its saturation area on.
  void add_channels(const Sample& truth, const ScoreMap& map) {
    const auto masks = read_masks(truth, map.height_px, map.width_px);
    std::vector<DefectChannel> channels;
    for (std::size_t place = 0; place < masks.size(); ++place) {
      DefectChannel channel{.mask = masks[place]};
      if (const auto& area = truth.masks[place].saturation_px) {
        channel.saturation = *area;
        channel.is_relative = false;
      }
      channels.push_back(channel);
    }
    pixels_.add_channels(map.values, channels);
    is_saturated_ = true;
  }

  static void put(MetricValues& metrics, const std::string& name, const Metric& metric) {
    metrics.values[name] = metric.value;
    if (!metric.value) metrics.notes.push_back(cat(name, " undefined: ", metric.reason));
  }

  void measure_pixels(MetricValues& metrics) const {
    if (!has_defect_pixels_) {
      for (const auto* name : {"pixel_AUROC", "pixel_AUPR", "pixel_F1Max", "pixel_AUPRO"}) {
        metrics.values[name] = std::nullopt;
      }
      metrics.notes.push_back(cat("pixel metrics undefined: no ",
                                  n_without_mask_ > 0 ? "masks" : "defects with a map and a mask"));
      return;
    }
    if (n_without_mask_ > 0) {
      metrics.notes.push_back(
          cat("pixel metrics without ", n_without_mask_, " defects that have no mask"));
    }
    const auto curves = pixels_.curves();
    put(metrics, "pixel_AUROC", curves.pixels.auroc());
    put(metrics, "pixel_AUPR", curves.pixels.average_precision());
    put(metrics, "pixel_F1Max", curves.pixels.f1_max());
    put(metrics, "pixel_AUPRO", curves.regions.area());
    if (is_saturated_) metrics.notes.push_back("pixel_AUPRO is the AU-sPRO: regions saturate");
    if (!curves.is_exact) {
      metrics.notes.push_back(cat("pixel metrics from a histogram: ", pixels_.n_pixels(),
                                  " pixels are too many to keep"));
    }
  }

  MeterOptions options_;
  std::vector<double> scores_;
  std::vector<std::uint8_t> is_anomalous_;
  PixelMeter pixels_;
  bool has_defect_pixels_ = false, is_saturated_ = false;
  std::int64_t n_without_mask_ = 0;
};

}  // namespace

std::unique_ptr<TaskMeter> make_metric_meter(const MeterOptions& options) {
  return std::make_unique<MetricMeter>(options);
}

}  // namespace cadenza
