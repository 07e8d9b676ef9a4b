#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "cadenza/dataset/sample.h"

namespace cadenza {

// What readers of list files share.

/// A path that a list names, relative to the folder of the list.
/// Errors: kNotFound naming the list and the file.
std::filesystem::path listed_path(const std::filesystem::path& list, const std::string& file);

/// "train", "validation" or "val", "test". Errors: kCorruptData naming `where`.
Split parse_split(std::string_view text, std::string_view where);

/// The split that a path shows: that of its last folder named train, validation, val or test; where
/// there is none, `otherwise`.
Split split_of_path(const std::filesystem::path& file, Split otherwise);

/// "0", "1", "good", "normal", "ok", "bad", "defect", "defective", "anomaly", "anomalous",
/// "abnormal", "ng", in any case: true for a defect. Errors: kCorruptData naming `where`.
bool parse_label(std::string_view text, std::string_view where);

/// True if a folder or label of this name holds normals, in any case.
bool names_normals(std::string_view name);
/// True if it names defects in general.
bool names_defects(std::string_view name);

}  // namespace cadenza
