#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "cadenza/base/progress.h"

namespace cadenza {

class FeatureCache;  // cadenza/network/feature_cache.h

/// Where networks come from and what they run on: given to every method, never global.
struct NetworkEnvironment {
  std::filesystem::path weights_folder;  ///< <network>.safetensors files; see `weights import`
  std::string device = "cpu";            ///< "cpu" or "cuda:N"
  int n_threads = 0;                     ///< 0: as many as this process may use
  FeatureCache* cache = nullptr;         ///< not owned; null: nothing is cached
  Progress* progress = &no_progress();   ///< not owned
};

}  // namespace cadenza
