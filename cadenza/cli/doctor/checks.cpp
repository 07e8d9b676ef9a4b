#include "cadenza/cli/doctor/checks.h"

#include <exception>
#include <fstream>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/file.h"
#include "cadenza/base/suggest.h"
#include "cadenza/experiment/machine.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/registry.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

constexpr const char* kDefaultNetwork = "efficientnet_lite0";
constexpr double kLeastDiskBytes = 200e6, kLeastMemoryBytes = 1e9;

std::string megabytes(double bytes) { return cat(static_cast<std::int64_t>(bytes / 1e6), " MB"); }

/// The program has not started without AVX2 and FMA; the others make it faster.
Finding processor() {
  std::vector<std::string> features = {"AVX2", "FMA"};
  if (__builtin_cpu_supports("avx512f")) features.emplace_back("AVX-512");
  if (__builtin_cpu_supports("avx512vnni")) features.emplace_back("VNNI");
  if (__builtin_cpu_supports("avx512bf16")) features.emplace_back("BF16");
  const auto machine = describe_machine(0);
  return {"processor", cat(machine.at("cpu").get<std::string>(), " with ", join(features)), true};
}

Finding threads(const NetworkEnvironment& environment) {
  const auto n_threads = environment.n_threads > 0 ? environment.n_threads : at::get_num_threads();
  return {"threads", cat(n_threads), true};
}

Finding memory() {
  std::ifstream file("/proc/meminfo");
  std::string key;
  double kilobytes = 0;
  while (file >> key >> kilobytes && key != "MemAvailable:") file.ignore(64, '\n');
  if (key != "MemAvailable:") return {"memory", "unknown: /proc/meminfo does not tell", true};
  const double bytes = kilobytes * 1024;
  return {"memory", megabytes(bytes) + " free", bytes >= kLeastMemoryBytes,
          cat("free ", megabytes(kLeastMemoryBytes), " or use a larger machine"),
          ErrorCode::kLimitExceeded};
}

Finding disk(const fs::path& folder) {
  struct statvfs status{};
  if (::statvfs(folder.c_str(), &status) != 0) {
    return {"disk", cat(folder.string(), " does not exist"), false, "create it, or name another",
            ErrorCode::kNotFound};
  }
  const double bytes = static_cast<double>(status.f_bavail) * static_cast<double>(status.f_frsize);
  return {"disk", cat(megabytes(bytes), " free at ", folder.string()), bytes >= kLeastDiskBytes,
          cat("free ", megabytes(kLeastDiskBytes), " there"), ErrorCode::kIo};
}

Finding write_permission(const fs::path& folder) {
  const auto probe = folder / cat(".cadenza-doctor-", ::getpid());
  try {
    write_file_atomic(probe, std::string_view("ok"));
    fs::remove(probe);
    return {"writing", folder.string(), true};
  } catch (const std::exception& error) {
    return {"writing", error.what(), false, "name a folder that this user may write",
            ErrorCode::kIo};
  }
}

/// The smallest network on one engine, with generated weights.
struct Trial {
  std::string fingerprint;
  at::Tensor answer;
};
Trial try_engine(const EngineOptions& options) {
  const auto networks = builtin_networks();
  const auto& entry = networks.find("efficientnet_lite_test");
  const auto taps = list_taps(entry);
  GraphRequest request;
  request.taps = {taps.back().name};
  auto graph = entry.describe(request);
  const auto weights = load_weights(entry, graph, {}, "random:1");
  const auto engine = make_engine(std::move(graph), weights, options);
  const auto image = at::linspace(-1, 1, 3 * entry.size_px * entry.size_px)
                         .view({1, 3, entry.size_px, entry.size_px})
                         .contiguous();
  return {engine->fingerprint(), engine->run(std::vector{image}).front()};
}

/// "torch 2.13.0" out of a fingerprint that has "torch-2.13.0" between colons.
std::string version_in(const std::string& fingerprint, const std::string& engine) {
  const auto start = fingerprint.find(engine + "-");
  if (start == std::string::npos) return fingerprint;
  return fingerprint.substr(start, fingerprint.find(':', start) - start);
}

std::vector<Finding> engines(const NetworkEnvironment& environment) {
  std::vector<Finding> findings;
  std::vector<at::Tensor> answers;
  const auto run = [&](const std::string& name, const EngineOptions& options) {
    try {
      const auto trial = try_engine(options);
      answers.push_back(trial.answer);
      findings.push_back({"engine " + name, version_in(trial.fingerprint, name), true});
    } catch (const std::exception& error) {
      findings.push_back({"engine " + name, error.what(), false,
                          "install Cadenza again: its lib folder is not whole",
                          ErrorCode::kUnsupported});
    }
  };
  run("torch", {.kind = EngineKind::kTorch});
  run("openvino", {.kind = EngineKind::kOpenvino});
  if (environment.device != "cpu") {
    try {
      const auto device = parse_device(environment.device);
      answers.push_back(try_engine({.kind = EngineKind::kTorch, .device = device}).answer.cpu());
      findings.push_back({"device", environment.device + " runs", true});
    } catch (const std::exception& error) {
      findings.push_back({"device", error.what(), false, "use --device cpu"});
    }
  }
  constexpr double kLargestError = 1e-3;  // of the largest value; GPUs may use TF32
  for (std::size_t other = 1; other < answers.size(); ++other) {
    const auto scale = answers[0].abs().max();
    const auto error = ((answers[other] - answers[0]).abs().max() / scale).item<double>();
    findings.push_back({"agreement", cat("largest difference ", error, " of the largest value"),
                        error < kLargestError, "report this with the output of `cadenza doctor`"});
  }
  return findings;
}

std::vector<Finding> weights(const NetworkEnvironment& environment) {
  const auto folder =
      environment.weights_folder.empty() ? default_weights_folder() : environment.weights_folder;
  std::vector<Finding> findings = {{"weights folder", folder.string(), true}};
  std::vector<std::string> absent;
  const auto networks = builtin_networks();
  for (const auto& name : networks.names()) {
    if (networks.find(name).for_tests) continue;
    const auto file = folder / (name + ".safetensors");
    const auto title = "weights " + name;
    if (fs::exists(file)) {
      try {
        findings.push_back({title, "sha256:" + sha256_hex(MappedFile(file).bytes()), true});
      } catch (const std::exception& error) {
        findings.push_back({title, error.what(), false, "import them again", ErrorCode::kIo});
      }
    } else if (name == kDefaultNetwork) {
      findings.push_back(
          {title, "not there", false, "cadenza weights import", ErrorCode::kNotFound});
    } else {
      absent.push_back(name);
    }
  }
  if (!absent.empty()) findings.push_back({"without weights", join(absent), true});
  return findings;
}

}  // namespace

std::vector<Finding> examine(const NetworkEnvironment& environment, const fs::path& folder) {
  std::vector<Finding> findings = {processor(), threads(environment), memory(), disk(folder),
                                   write_permission(folder)};
  for (auto&& finding : engines(environment)) findings.push_back(finding);
  for (auto&& finding : weights(environment)) findings.push_back(finding);
  return findings;
}

}  // namespace cadenza
