#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace cadenza {

enum class Split { kTrain, kValidation, kTest };

/// One defect region of an image as a grey picture: above 0 is defect.
struct MaskFile {
  std::filesystem::path path;
  /// Area in pixels from which the region counts as found (MVTec LOCO); absent: its own area.
  std::optional<double> saturation_px;
};

struct Sample {
  std::filesystem::path file;
  std::string task;
  Split split = Split::kTrain;
  bool is_defect = false;
  std::string defect_type = "good";
  std::vector<MaskFile> masks;  ///< empty: no mask is known (for a normal image: none is needed)
};

/// What a reader found below a root: samples sorted by task, split, defect type and file name.
struct Dataset {
  std::string layout;
  std::filesystem::path root;
  std::vector<std::string> tasks;  ///< byte-wise sorted
  std::vector<Sample> samples;
  std::vector<std::string> notes;  ///< what was ignored, and why
};

}  // namespace cadenza
