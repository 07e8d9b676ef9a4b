#include <algorithm>
#include <set>
#include <tuple>

#include "cadenza/base/error.h"
#include "cadenza/base/suggest.h"
#include "cadenza/dataset/layout.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;

const LayoutEntry& pick_layout(const LayoutRegistry& layouts, const fs::path& root) {
  const LayoutEntry* best = nullptr;
  std::vector<std::string> known;
  for (const auto& name : layouts.names()) {
    const auto& entry = layouts.find(name);
    known.push_back(cat(name, " (", entry.summary, ")"));
    if (!entry.matches(root)) continue;
    if (best == nullptr || entry.precedence < best->precedence) best = &entry;
  }
  CADENZA_REQUIRE(best != nullptr, ErrorCode::kInvalidArgument, root.string(),
                  ": looks like no data set that is known; expected one of: ", join(known, "; "));
  return *best;
}

auto place_of(const Sample& sample) {
  return std::tie(sample.task, sample.split, sample.defect_type, sample.file.native());
}

/// Lists may overlap: all of a data set and one task of it. A file counts once, unless they tell
/// different things about it.
void drop_repeated(Dataset& dataset) {
  const auto [first, last] = std::ranges::unique(dataset.samples, {}, place_of);
  const auto n_dropped = last - first;
  dataset.samples.erase(first, last);
  if (n_dropped > 0) {
    dataset.notes.push_back(
        cat(dataset.root.string(), ": ", n_dropped, " images are listed twice; taken once"));
  }
}

}  // namespace

Dataset read_dataset(const fs::path& root, std::string_view layout) {
  std::error_code failure;
  CADENZA_REQUIRE(fs::exists(root, failure), ErrorCode::kNotFound, root.string(),
                  ": no such file or folder");
  const auto layouts = builtin_layouts();
  const auto& entry =
      layout.empty() || layout == "auto" ? pick_layout(layouts, root) : layouts.find(layout);
  auto dataset = entry.read(root);
  dataset.layout = entry.name;
  dataset.root = root;
  CADENZA_REQUIRE(!dataset.samples.empty(), ErrorCode::kInvalidArgument, root.string(),
                  ": no image in layout '", entry.name, "' (", entry.summary, ")",
                  dataset.notes.empty() ? "" : "; ", join(dataset.notes, "; "));
  std::set<std::string> tasks;
  for (const auto& sample : dataset.samples) tasks.insert(sample.task);
  dataset.tasks.assign(tasks.begin(), tasks.end());
  std::ranges::sort(dataset.samples, {}, place_of);
  drop_repeated(dataset);
  return dataset;
}

}  // namespace cadenza
