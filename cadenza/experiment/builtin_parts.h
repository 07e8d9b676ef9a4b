#pragma once

#include <filesystem>

#include "cadenza/experiment/parts.h"

namespace cadenza {

/// The parts of the product: every method and strategy of this build, images read from their files,
/// the one path from bytes to verdict, and all metrics. `masks`: label maps of the training images,
/// a folder or a ZIP archive (structure/region_source/mask_tree.h); empty: made where a method
/// asks.
ExperimentParts builtin_parts(const NetworkEnvironment& environment,
                              const std::filesystem::path& masks = {});

}  // namespace cadenza
