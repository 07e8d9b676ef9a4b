#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "cadenza/memory/nearest.h"

namespace cadenza {

/// Which of several banks a set of vectors is nearest to.
struct Route {
  std::size_t bank = 0;        ///< index of the winner; of equals the first
  double distance = 0;         ///< mean over the queries of the distance to its nearest entry
  std::vector<float> nearest;  ///< [M] each query's distance to the winner's nearest entry
};

/// Compares one image's vectors with all banks, one bank a unit of work. A bank whose distances
/// already add up to more than the whole of another's is dropped: it could not win any more.
///
/// Shapes   queries [M,D] row by row; every bank has this D. At least one bank, M >= 1.
/// Errors   kInvalidArgument.
/// Threads  pure. A bank's distance is the same bits whatever other banks take part.
/// Cost     M times D times all entries multiply-adds if all banks are alike; a product that is
///          nothing like the image takes about a third of its share.
Route route(std::span<const PackedBank* const> banks, std::span<const float> queries);

}  // namespace cadenza
