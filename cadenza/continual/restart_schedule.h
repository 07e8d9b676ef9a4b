#pragma once

#include <cstdint>

namespace cadenza {

/// Factor on the base learning rate: cosine with warm restarts over `period` epochs, stepped after
/// every batch with the whole epoch number, as the released program does.
///
/// Hence the first batch of an epoch still has the rate of the epoch before, and the first batch of
/// a later task the rate at which the task before it ended (vector TV-5).
double cosine_restart_factor(std::int64_t task, std::int64_t epoch, std::int64_t batch,
                             std::int64_t period);

}  // namespace cadenza
