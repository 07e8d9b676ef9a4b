#include "cadenza/network/feature_cache.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

/// One text of the three, unambiguous because their lengths lead.
std::string joined(const FeatureCache::Key& key) {
  return cat(key.image.size(), ' ', key.fingerprint.size(), ' ', key.image, key.fingerprint,
             key.tap);
}

}  // namespace

std::optional<at::Tensor> FeatureCache::find(const Key& key) {
  const std::lock_guard lock(mutex_);
  const auto place = places_.find(joined(key));
  if (place == places_.end()) return std::nullopt;
  entries_.splice(entries_.begin(), entries_, place->second);
  return place->second->value;
}

void FeatureCache::put(const Key& key, const at::Tensor& value) {
  // A view would keep the whole batch it was cut from alive, uncounted.
  const auto own = value.is_contiguous() && value.storage().nbytes() == value.nbytes()
                       ? value
                       : value.clone(at::MemoryFormat::Contiguous);
  auto text = joined(key);
  const auto n_bytes = own.nbytes() + text.size();
  const std::lock_guard lock(mutex_);
  if (n_bytes > limit_bytes_ || places_.contains(text)) return;
  while (used_bytes_ + n_bytes > limit_bytes_) {
    used_bytes_ -= entries_.back().n_bytes;
    places_.erase(entries_.back().key);
    entries_.pop_back();
  }
  entries_.push_front({text, own, n_bytes});
  places_.emplace(std::move(text), entries_.begin());
  used_bytes_ += n_bytes;
}

std::uint64_t FeatureCache::size_bytes() const {
  const std::lock_guard lock(mutex_);
  return used_bytes_;
}

std::size_t FeatureCache::n_entries() const {
  const std::lock_guard lock(mutex_);
  return entries_.size();
}

}  // namespace cadenza
