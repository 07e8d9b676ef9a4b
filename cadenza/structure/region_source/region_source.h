#pragma once

#include <filesystem>
#include <string>

#include "cadenza/base/progress.h"
#include "cadenza/dataset/image_task_data.h"
#include "cadenza/network/environment.h"

namespace cadenza {

/// Where the region maps of training images come from, as InputSpec::structure names it:
///
/// felzenszwalb, slic, sam  made of the prepared picture when it is first asked for. Felzenszwalb's
///          scale is 100: at scikit-image's 1 nearly every cell of a feature grid is a region of
///          its own.
/// folder   read from `masks`, see MaskTree; a map of any size covers the whole picture.
///
/// A "folder" without `masks` and a "sam" without weights become felzenszwalb; `progress` is
/// warned. `masks` that are given are used whatever the method prefers. Empty, and never called,
/// where the method asks for no region maps.
///
/// Errors   kNotFound: `masks` is not there; kInvalidArgument: an unknown structure. The source's
///          own: those of MaskTree::find() and RegionMaker.
RegionSource make_region_source(const InputSpec& input, const std::filesystem::path& masks,
                                const NetworkEnvironment& environment, Progress& progress);

}  // namespace cadenza
