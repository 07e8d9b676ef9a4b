#pragma once

#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include "cadenza/base/registry.h"
#include "cadenza/dataset/sample.h"

namespace cadenza {

/// One way in which data sets lie on disk.
struct LayoutEntry {
  std::string name;     ///< for --layout
  std::string summary;  ///< one line: what the tree or the file looks like
  /// Of layouts that match, the lowest is taken; of equal ones the first by name.
  int precedence = 0;
  /// Looks at names only; never throws on what it does not know.
  std::function<bool(const std::filesystem::path& root)> matches;
  /// Tasks, samples and notes; the caller sorts and fills in the rest.
  /// Errors: kCorruptData, kInvalidArgument naming the file.
  std::function<Dataset(const std::filesystem::path& root)> read;
};

class LayoutRegistry : public Registry<LayoutEntry> {
 public:
  LayoutRegistry() : Registry("layout") {}
};

/// All layouts of this build, from the list that CMake writes of the folders of reader/.
LayoutRegistry builtin_layouts();

/// Reads what lies below `root` (a folder, or a file that lists images): samples sorted by task,
/// split, defect type and file. `layout` empty or "auto": the one that matches.
///
/// Errors   kNotFound: no such root or layout. kInvalidArgument: no layout matches, or there is no
///          image, saying what was looked for. Those of the reader.
Dataset read_dataset(const std::filesystem::path& root, std::string_view layout = {});

}  // namespace cadenza
