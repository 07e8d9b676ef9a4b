#pragma once

#include <filesystem>
#include <span>
#include <string>
#include <vector>

namespace cadenza {

/// Images of good parts to learn from, in the order in which they are learned.
struct Normals {
  std::vector<std::filesystem::path> files;  ///< each content once
  std::vector<std::string> notes;            ///< what was left out, and why
};

/// Images below `paths`. Errors   kInvalidArgument: none is there, naming the paths. Those of a
/// path that cannot be listed or a file that cannot be read.
Normals gather_normals(std::span<const std::filesystem::path> paths);

}  // namespace cadenza
