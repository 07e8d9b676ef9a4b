#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/network/environment.h"

namespace cadenza {

/// One line of `doctor`.
struct Finding {
  std::string name;   ///< "weights efficientnet_lite0"
  std::string found;  ///< what is there, in words
  bool is_good = true;
  std::string remedy = {};                   ///< when it is not good
  ErrorCode code = ErrorCode::kUnsupported;  ///< when it is not good
};

/// All checks, in the order in which they are shown. `folder` is where a model would be written.
/// Errors   none: what goes wrong is a finding.
/// Cost     0.5 s; writes and removes a small file in `folder`.
std::vector<Finding> examine(const NetworkEnvironment& environment,
                             const std::filesystem::path& folder);

}  // namespace cadenza
