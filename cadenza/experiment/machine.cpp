#include "cadenza/experiment/machine.h"

#include <fstream>
#include <string>

#include <ATen/Parallel.h>
#include <torch/version.h>

#include "cadenza/base/clock.h"

namespace cadenza {
namespace {

/// What follows "key<spaces>:" in a file of such lines; absent if there is none.
std::optional<std::string> value_in(const char* path, const std::string& key) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    const auto colon = line.find(':');
    if (!line.starts_with(key) || colon == std::string::npos) continue;
    const auto start = line.find_first_not_of(" \t", colon + 1);
    return start == std::string::npos ? "" : line.substr(start);
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::int64_t> peak_resident_bytes() {
  const auto text = value_in("/proc/self/status", "VmHWM");
  if (!text) return std::nullopt;
  return std::stoll(*text) * 1024;  // "123456 kB"
}

Json describe_machine(int n_threads) {
  return {{"cadenza", "0.1.0"},
          {"cpu", value_in("/proc/cpuinfo", "model name").value_or("unknown")},
          {"threads", n_threads > 0 ? n_threads : at::get_num_threads()},
          {"torch", TORCH_VERSION},
          {"started", utc_timestamp()}};
}

}  // namespace cadenza
