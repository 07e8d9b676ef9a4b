#include "cadenza/cli/thread_count.h"

#include <algorithm>
#include <cmath>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include <sched.h>

namespace cadenza {

namespace {

std::optional<double> first_number(const char* path) {
  std::ifstream file(path);
  double value = 0;
  if (!(file >> value) || value <= 0) return std::nullopt;
  return value;
}

/// Processors' worth of time that the control group grants: "max 100000" or "150000 100000" in
/// version 2, two files in version 1.
std::optional<double> cgroup_quota() {
  std::ifstream file("/sys/fs/cgroup/cpu.max");
  double quota = 0, period = 0;
  if (file >> quota >> period && quota > 0 && period > 0) return quota / period;
  const auto old_quota = first_number("/sys/fs/cgroup/cpu/cpu.cfs_quota_us");
  const auto old_period = first_number("/sys/fs/cgroup/cpu/cpu.cfs_period_us");
  if (old_quota && old_period) return *old_quota / *old_period;
  return std::nullopt;
}

int affinity_count() {
  cpu_set_t set;
  if (::sched_getaffinity(0, sizeof set, &set) == 0) return CPU_COUNT(&set);
  return static_cast<int>(std::thread::hardware_concurrency());
}

}  // namespace

int thread_count(std::int64_t wanted) {
  if (wanted > 0) return static_cast<int>(wanted);
  int available = affinity_count();
  if (const auto quota = cgroup_quota()) {
    available = std::min(available, static_cast<int>(std::ceil(*quota)));
  }
  return std::max(available, 1);
}

}  // namespace cadenza
