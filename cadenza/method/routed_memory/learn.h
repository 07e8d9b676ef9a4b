#pragma once

#include <cstdint>
#include <string_view>

#include "cadenza/dataset/task_data.h"
#include "cadenza/memory/bank.h"
#include "cadenza/method/method.h"
#include "cadenza/method/routed_memory/features.h"
#include "cadenza/method/routed_memory/product.h"

namespace cadenza::routed_memory {

struct LearnOptions {
  std::int64_t memory_size = 500;    ///< m: entries a layer
  std::int64_t candidates = 30'000;  ///< C: cells a layer that selection looks at
  BankCode code = BankCode::kInt8;
};

/// Learns one product from the images of `data`, all of one task.
///
/// 1. Equal pictures are taken once.
/// 2. Candidates: all cells of a layer, or a random subset of C of them.
/// 3. Bank: greedy farthest-point selection of m candidates, from a random first one; stored codes.
/// 4. Left-out residuals: of each image against the entries that other images gave.
/// 5. a_l, b_l: their mean and deviation; a prior for fewer than five images.
/// 6. S and g: score and routing distance of each image from its left-out residuals.
/// 7. Map statistics: mean and covariance of all cells, ranges of both maps.
///
/// Errors   kCancelled: the context's stop, seen within a batch. kNumeric: features().
/// Cost     the network once an image while the features of all fit in 256 MiB (500 images at 256
///          px), three times for those beyond; 1.1 s for selection and left-out scores of 200
///          images on 2 cores.
/// Random   Rng(seed, task name and layer): the order of products does not matter.
/// Source   routed memory specification, section 3.
Product learn(const FeatureReader& reader, const TaskData& data, const LearnOptions& options,
              const TrainContext& context);

}  // namespace cadenza::routed_memory
