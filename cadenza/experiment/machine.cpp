#include "cadenza/experiment/machine.h"

#include <fstream>
#include <sstream>
#include <string>

#include "revision.h"  // written by the build
#include <ATen/Parallel.h>
#include <torch/version.h>

#include "cadenza/base/clock.h"
#include "cadenza/base/digest.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/openvino_engine.h"

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
  const std::string revision = CADENZA_GIT_REVISION;
  return {{"cadenza", CADENZA_VERSION + (revision.empty() ? "" : " (git " + revision + ")")},
          {"cpu", value_in("/proc/cpuinfo", "model name").value_or("unknown")},
          {"threads", n_threads > 0 ? n_threads : at::get_num_threads()},
          {"torch", TORCH_VERSION},
          {"openvino", openvino_version()},
          {"started", utc_timestamp()}};
}

Json describe_network(const MethodInfo& info) {
  Json out = {{"name", nullptr}, {"digest", nullptr}, {"engine", nullptr}, {"precision", nullptr}};
  if (!info.network.empty()) out["name"] = info.network;
  if (!info.fingerprint.empty()) out["digest"] = "sha256:" + sha256_hex(info.fingerprint);
  std::istringstream parts(info.fingerprint);  // "resnet18:224x224:openvino-2026.4.1:f32:..."
  for (std::string part; std::getline(parts, part, ':');) {
    for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
      const std::string name(to_string(kind));
      if (!part.starts_with(name + "-") || !std::getline(parts, part, ':')) continue;
      out["engine"] = name;
      out["precision"] = part;
    }
  }
  out["fingerprint"] = info.fingerprint;
  return out;
}

}  // namespace cadenza
