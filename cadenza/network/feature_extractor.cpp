#include "cadenza/network/feature_extractor.h"

#include <ATen/ATen.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/network/feature_cache.h"

namespace cadenza {

namespace {

EngineOptions engine_options(const FeatureRequest& request, const NetworkEnvironment& environment) {
  EngineOptions options{.precision = pick_precision(request.precision),
                        .n_threads = environment.n_threads,
                        .device = parse_device(environment.device)};
  options.kind = options.device.is_cpu() ? EngineKind::kOpenvino : EngineKind::kTorch;
  return options;
}

}  // namespace

FeatureExtractor::FeatureExtractor(const FeatureRequest& request,
                                   const NetworkEnvironment& environment)
    : entry_(builtin_networks().find(request.network)),
      height_px_(request.height_px == 0 ? entry_.size_px : request.height_px),
      width_px_(request.width_px == 0 ? entry_.size_px : request.width_px),
      cache_(environment.cache) {
  for (const auto& tap : request.taps) {
    taps_.push_back(find_tap(entry_, tap, height_px_, width_px_));
  }
  auto graph =
      entry_.describe({.height_px = height_px_, .width_px = width_px_, .taps = request.taps});
  auto weights = load_weights(entry_, graph, environment, request.weights);
  engine_ = make_engine(std::move(graph), std::move(weights), engine_options(request, environment));
}

std::vector<at::Tensor> FeatureExtractor::extract(const at::Tensor& images) const {
  const at::Tensor inputs[] = {images};
  return engine_->run(inputs);
}

std::vector<at::Tensor> FeatureExtractor::extract(const at::Tensor& images,
                                                  std::span<const std::string> digests) const {
  CADENZA_REQUIRE(images.dim() > 0 && images.size(0) == static_cast<std::int64_t>(digests.size()),
                  ErrorCode::kInvalidArgument, "expected ", images.dim() > 0 ? images.size(0) : 0,
                  " digests, one an image, got ", digests.size());
  if (cache_ == nullptr) return extract(images);
  const auto engine = fingerprint();
  const auto n_images = digests.size();
  std::vector<std::vector<at::Tensor>> rows(taps_.size(), std::vector<at::Tensor>(n_images));
  std::vector<std::int64_t> missing;
  for (std::size_t image = 0; image < n_images; ++image) {
    bool complete = true;
    for (std::size_t tap = 0; tap < taps_.size(); ++tap) {
      const auto found = cache_->find({digests[image], engine, taps_[tap].name});
      if (found) rows[tap][image] = *found;
      complete = complete && found;
    }
    if (!complete) missing.push_back(static_cast<std::int64_t>(image));
  }
  if (!missing.empty()) {
    const auto fresh = extract(images.index_select(0, at::tensor(missing)));
    for (std::size_t tap = 0; tap < taps_.size(); ++tap) {
      for (std::size_t place = 0; place < missing.size(); ++place) {
        const auto image = static_cast<std::size_t>(missing[place]);
        const auto row = fresh[tap][static_cast<std::int64_t>(place)].clone();
        cache_->put({digests[image], engine, taps_[tap].name}, row);
        rows[tap][image] = row;
      }
    }
  }
  std::vector<at::Tensor> features;
  for (const auto& of_tap : rows) features.push_back(at::stack(of_tap));
  return features;
}

std::string FeatureExtractor::fingerprint() const {
  return cat(entry_.name, ':', height_px_, 'x', width_px_, ':', engine_->fingerprint());
}

std::string tensor_digest(const at::Tensor& tensor) {
  const auto plain = tensor.detach().to(at::kCPU, at::kFloat).contiguous();
  Sha256 hash;
  hash.add(to_string(plain.sizes().vec()));
  hash.add(std::as_bytes(
      std::span(plain.const_data_ptr<float>(), static_cast<std::size_t>(plain.numel()))));
  return hash.hex();
}

}  // namespace cadenza
