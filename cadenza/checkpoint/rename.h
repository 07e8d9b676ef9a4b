#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/checkpoint/checkpoint.h"

namespace cadenza {

/// Renames the keys that `from` matches. In `from`, `*` stands for a run of characters without '.'
/// and '/', and a final `**` for anything; in `to`, $1, $2, ... stand for what they matched.
/// {"stages.*.*.pwconv1.**", "stages.$1.blocks.$2.mlp.fc1.$3"}
struct RenameRule {
  std::string from, to;
};

/// The new name by the first rule that matches; none if no rule does.
std::optional<std::string> rename_key(std::string_view key, std::span<const RenameRule> rules);

/// Every tensor under its new name; those that no rule matches keep theirs.
/// Errors   kInvalidArgument naming both keys: two of them become one.
Checkpoint rename_keys(const Checkpoint& checkpoint, std::span<const RenameRule> rules);

}  // namespace cadenza
