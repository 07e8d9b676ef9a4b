#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/base/options.h"
#include "cadenza/base/progress.h"
#include "cadenza/network/environment.h"

namespace cadenza {

/// How label maps are stored.
enum class LabelMapFormat {
  k16Bit,  ///< PNG of the picture's size, ids to 65,535, `picture.png`
  /// As UCAD's: of the picture squashed to 224 x 224 (OpenCV's bilinear), 8-bit PNG, ids above 255
  /// are 255, under the picture's own name.
  kAuthors8Bit
};

struct MaskTreeRequest {
  std::string method;   ///< as make_region_maker()
  OptionTexts options;  ///< of the method
  LabelMapFormat format = LabelMapFormat::k16Bit;
};

/// A picture without a map, and why.
struct MaskTreeFailure {
  std::filesystem::path picture;
  Error error;
};

struct MaskTreeReport {
  std::int64_t n_written = 0;
  std::int64_t n_kept = 0;  ///< made by an earlier call
  std::vector<MaskTreeFailure> failures;
};

/// Writes the region map of each of `pictures`, which lie below `root`, to the same place below
/// `out`, where MaskTree finds it. Maps that are there stay, so that a stopped run goes on; a map
/// is written in one step. `out`/masks.json says how they were made.
///
/// Errors   kInvalidArgument: `out` holds maps made another way; two pictures whose maps would be
///          one file; those of make_region_maker(). kIo. kCancelled. What is wrong with a picture
///          is a failure.
/// Threads  slic and felzenszwalb take several pictures at once; sam's network uses the threads.
MaskTreeReport write_mask_tree(const std::filesystem::path& root,
                               std::span<const std::filesystem::path> pictures,
                               const std::filesystem::path& out, const MaskTreeRequest& request,
                               const NetworkEnvironment& environment,
                               Progress& progress = no_progress(), std::stop_token stop = {});

}  // namespace cadenza
