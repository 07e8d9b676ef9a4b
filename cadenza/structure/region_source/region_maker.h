#pragma once

#include <functional>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/options.h"
#include "cadenza/image/image.h"
#include "cadenza/network/environment.h"
#include "cadenza/structure/region_map.h"

namespace cadenza {

/// Divides a picture into regions; the map has the picture's size.
/// Errors: kInvalidArgument: an empty picture; kCancelled.
/// Threads: any number of calls at once.
using RegionMaker = std::function<RegionMap(const Image& image, std::stop_token stop)>;

/// "sam", "slic", "felzenszwalb".
std::span<const std::string> region_methods();

/// What a method can be told. slic and felzenszwalb have scikit-image's names and defaults, sam
/// those of its authors' generator, and network, weights and precision.
/// Errors   kNotFound: no such method; lists them.
std::vector<OptionSpec> region_options(std::string_view method);

/// Errors   kNotFound: no such method, sam's weights; kInvalidArgument: an option.
/// Cost     a picture of 224 x 224: felzenszwalb 30 ms, slic 10 ms; sam an image encoder and 1024
///          points, see network/sam/README.md.
RegionMaker make_region_maker(std::string_view method, const OptionTexts& given,
                              const NetworkEnvironment& environment);

}  // namespace cadenza
