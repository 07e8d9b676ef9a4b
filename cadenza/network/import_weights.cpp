#include "cadenza/network/import_weights.h"

#include <algorithm>
#include <map>
#include <utility>

#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/suggest.h"
#include "cadenza/checkpoint/read_checkpoint.h"
#include "cadenza/checkpoint/rename.h"
#include "cadenza/checkpoint/safetensors.h"

namespace cadenza {

namespace {

/// Every weight of the network, whatever is tapped.
std::map<std::string, Shape> weights_of(const NetworkEntry& entry) {
  GraphRequest request;
  for (const auto& tap : list_taps(entry)) request.taps.push_back(tap.name);
  std::map<std::string, Shape> shapes;
  const Graph graph = entry.describe(std::move(request));
  for (const auto& node : graph.nodes()) {
    if (const auto* weight = std::get_if<op::Weight>(&node.op)) shapes[weight->name] = node.shape;
  }
  return shapes;
}

/// Collects names and tells the first of them.
class Listing {
 public:
  explicit Listing(std::string title) : title_(std::move(title)) {}
  void add(std::string name) { names_.push_back(std::move(name)); }
  bool empty() const { return names_.empty(); }
  /// "; TITLE (N): a, b, ..."
  std::string text() const {
    constexpr std::size_t kMaxListed = 12;
    if (names_.empty()) return "";
    const auto n_listed = std::min(names_.size(), kMaxListed);
    return cat("; ", title_, " (", names_.size(), "): ", join(std::span(names_).first(n_listed)),
               n_listed < names_.size() ? ", ..." : "");
  }

 private:
  std::string title_;
  std::vector<std::string> names_;
};

bool is_known_unused(const NetworkEntry& entry, const std::string& key) {
  if (key.ends_with("num_batches_tracked")) return true;
  return std::ranges::any_of(entry.unused_keys, [&](const std::string& pattern) {
    const RenameRule rule{pattern, ""};
    return rename_key(key, {&rule, 1}).has_value();
  });
}

bool is_of_classifier(const NetworkEntry& entry, const std::string& key) {
  return !entry.classifier.empty() && key.starts_with(entry.classifier);
}

/// True if all weights of the classifier are there in their shapes: it is taken whole or not at
/// all.
bool classifier_fits(const NetworkEntry& entry, const std::map<std::string, Shape>& wanted,
                     const Checkpoint& found) {
  return std::ranges::all_of(wanted, [&](const auto& weight) {
    const auto& [name, shape] = weight;
    if (!is_of_classifier(entry, name)) return true;
    const auto tensor = found.tensors.find(name);
    return tensor != found.tensors.end() && tensor->second.shape == shape;
  });
}

}  // namespace

ImportedWeights import_weights(const NetworkEntry& entry, const Checkpoint& published) {
  const auto wanted = weights_of(entry);
  const auto found = entry.translate ? entry.translate(published) : published;
  ImportedWeights imported{
      .weights = {}, .has_classifier = classifier_fits(entry, wanted, found), .unused = {}};
  Listing missing("missing"), misshapen("of another shape"), unknown("unknown");
  for (const auto& [name, shape] : wanted) {
    if (is_of_classifier(entry, name) && !imported.has_classifier) continue;
    const auto tensor = found.tensors.find(name);
    if (tensor == found.tensors.end()) {
      missing.add(name);
    } else if (tensor->second.shape != shape) {
      misshapen.add(
          cat(name, " expected ", to_string(shape), " found ", to_string(tensor->second.shape)));
    } else {
      auto view = float_view(tensor->second, name);
      imported.weights.tensors[name] = {DType::kF32, shape, std::as_bytes(view.data),
                                        std::move(view.owner)};
    }
  }
  for (const auto& [key, tensor] : found.tensors) {
    if (imported.weights.tensors.contains(key)) continue;
    if (is_of_classifier(entry, key) || is_known_unused(entry, key)) {
      imported.unused.push_back(key);
    } else if (!wanted.contains(key)) {
      unknown.add(key);
    }
  }
  CADENZA_REQUIRE(missing.empty() && misshapen.empty() && unknown.empty(),
                  ErrorCode::kInvalidArgument, "not a checkpoint of network '", entry.name, "' (",
                  entry.weights_hint, ")", missing.text(), misshapen.text(), unknown.text());
  return imported;
}

bool import_weights_file(const NetworkEntry& entry, const std::filesystem::path& source,
                         const std::filesystem::path& target) {
  // Raise when import_weights() makes something else of the same file.
  constexpr std::string_view kImporter = "1";
  const std::string digest = sha256_hex(MappedFile(source).bytes());
  if (std::filesystem::exists(target)) {
    const auto texts = read_safetensors(target).texts;
    const auto is = [&](const char* key, std::string_view value) {
      const auto text = texts.find(key);
      return text != texts.end() && text->second == value;
    };
    if (is("importer", kImporter) && is("source_sha256", digest)) return false;
  }
  const auto published = unwrap_state_dict(read_checkpoint(source));
  ImportedWeights imported;
  try {
    imported = import_weights(entry, published);
  } catch (const Error& error) {
    throw error.with_context(source.string());
  }
  imported.weights.texts = {{"network", entry.name},
                            {"importer", std::string(kImporter)},
                            {"source", source.filename().string()},
                            {"source_sha256", digest},
                            {"license", entry.weights_license}};
  if (!target.parent_path().empty()) std::filesystem::create_directories(target.parent_path());
  write_file_atomic(target, write_safetensors(imported.weights));
  return true;
}

std::filesystem::path find_in_wheel(const NetworkEntry& entry,
                                    const std::filesystem::path& wheels_folder) {
  const auto folder = wheels_folder / ("weights-" + entry.name);
  if (!std::filesystem::is_directory(folder)) return {};
  std::vector<std::filesystem::path> found;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    const auto extension = file.path().extension();
    if (extension == ".pth" || extension == ".pt" || extension == ".safetensors") {
      found.push_back(file.path());
    }
  }
  CADENZA_REQUIRE(found.size() == 1, ErrorCode::kCorruptData, folder.string(), ": ", found.size(),
                  " checkpoints, expected one; remove the folder and run tools/setup.sh");
  return found[0];
}

}  // namespace cadenza
