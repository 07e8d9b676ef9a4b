#pragma once

#include <cstdint>
#include <list>
#include <mutex>
#include <optional>
#include <string>
#include <unordered_map>

#include <ATen/core/Tensor.h>

namespace cadenza {

/// What one image looks like to one frozen network, kept while there is room: the least recently
/// used entry goes first.
///
/// Threads  all members from any thread. Tensors are shared, not copied: do not write to them.
class FeatureCache {
 public:
  explicit FeatureCache(std::uint64_t limit_bytes) : limit_bytes_(limit_bytes) {}
  FeatureCache(const FeatureCache&) = delete;
  FeatureCache& operator=(const FeatureCache&) = delete;

  /// `image`: a digest of the network's input; `fingerprint`: Engine::fingerprint().
  struct Key {
    std::string image, fingerprint, tap;
  };

  std::optional<at::Tensor> find(const Key& key);

  /// Keeps `value` (contiguous, of its own memory) unless it alone is larger than the limit.
  void put(const Key& key, const at::Tensor& value);

  std::uint64_t size_bytes() const;  ///< of tensors and keys; never above the limit
  std::size_t n_entries() const;

 private:
  struct Entry {
    std::string key;
    at::Tensor value;
    std::uint64_t n_bytes;
  };

  std::uint64_t limit_bytes_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  ///< most recently used first
  std::unordered_map<std::string, std::list<Entry>::iterator> places_;
  std::uint64_t used_bytes_ = 0;
};

}  // namespace cadenza
