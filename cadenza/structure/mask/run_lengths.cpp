#include "cadenza/structure/mask/run_lengths.h"

#include <algorithm>

#include "cadenza/base/error.h"

namespace cadenza {

std::int64_t RunLengths::area() const {
  std::int64_t sum = 0;
  for (std::size_t run = 1; run < counts.size(); run += 2) sum += counts[run];
  return sum;
}

RunLengths encode_runs(const BinaryMask& mask) {
  RunLengths runs{mask.height_px, mask.width_px, {}};
  std::uint8_t current = 0;
  std::int64_t length = 0;
  for (std::int64_t x = 0; x < mask.width_px; ++x) {
    for (std::int64_t y = 0; y < mask.height_px; ++y) {
      if (mask.at(y, x) != current) {
        runs.counts.push_back(length);
        current = mask.at(y, x);
        length = 0;
      }
      ++length;
    }
  }
  if (length > 0) runs.counts.push_back(length);
  return runs;
}

BinaryMask decode_runs(const RunLengths& runs) {
  const auto n_pixels = runs.height_px * runs.width_px;
  std::int64_t sum = 0;
  for (const auto count : runs.counts) {
    CADENZA_REQUIRE(count >= 0 && count <= n_pixels - sum, ErrorCode::kInvalidArgument,
                    "run lengths of ", runs.height_px, "x", runs.width_px, ": a run of ", count,
                    " after ", sum, " pixels of ", n_pixels);
    sum += count;
  }
  CADENZA_REQUIRE(sum == n_pixels, ErrorCode::kInvalidArgument, "run lengths of ", runs.height_px,
                  "x", runs.width_px, ": they sum to ", sum, ", expected ", n_pixels);
  BinaryMask mask{runs.height_px, runs.width_px,
                  std::vector<std::uint8_t>(static_cast<std::size_t>(n_pixels))};
  std::int64_t place = 0;
  for (std::size_t run = 0; run < runs.counts.size(); ++run) {
    for (std::int64_t left = runs.counts[run]; left > 0; --left, ++place) {
      const auto y = place % runs.height_px, x = place / runs.height_px;
      mask.inside[static_cast<std::size_t>(y * runs.width_px + x)] = run % 2 == 1;
    }
  }
  return mask;
}

}  // namespace cadenza
