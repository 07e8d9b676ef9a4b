#include "cadenza/continual/restart_schedule.h"

#include <cmath>
#include <numbers>

namespace cadenza {

double cosine_restart_factor(std::int64_t task, std::int64_t epoch, std::int64_t batch,
                             std::int64_t period) {
  const auto factor = [&](std::int64_t at) {
    return (1 + std::cos(std::numbers::pi * double(at % period) / double(period))) / 2;
  };
  if (batch > 0) return factor(epoch);
  if (epoch > 0) return factor(epoch - 1);
  return task == 0 ? 1 : factor(period - 1);
}

}  // namespace cadenza
