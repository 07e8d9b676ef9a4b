#include "cadenza/checkpoint/rename.h"

#include "cadenza/base/error.h"

namespace cadenza {

namespace {

/// Appends what each star matched; no star can match in two ways that both fit and matter, since it
/// stops at the next separator.
bool match(std::string_view pattern, std::string_view key, std::vector<std::string_view>& stars) {
  if (pattern.empty()) return key.empty();
  if (pattern == "**") {
    stars.push_back(key);
    return true;
  }
  if (pattern[0] != '*') {
    return !key.empty() && key[0] == pattern[0] && match(pattern.substr(1), key.substr(1), stars);
  }
  const auto longest = std::min(key.find_first_of("./"), key.size());
  for (std::size_t length = 1; length <= longest; ++length) {
    stars.push_back(key.substr(0, length));
    if (match(pattern.substr(1), key.substr(length), stars)) return true;
    stars.pop_back();
  }
  return false;
}

std::string expand(std::string_view to, const std::vector<std::string_view>& stars) {
  std::string name;
  for (std::size_t index = 0; index < to.size(); ++index) {
    if (to[index] != '$') {
      name.push_back(to[index]);
      continue;
    }
    CADENZA_DCHECK(index + 1 < to.size() && to[index + 1] >= '1' &&
                   static_cast<std::size_t>(to[index + 1] - '1') < stars.size());
    name += stars[static_cast<std::size_t>(to[++index] - '1')];
  }
  return name;
}

}  // namespace

std::optional<std::string> rename_key(std::string_view key, std::span<const RenameRule> rules) {
  for (const auto& rule : rules) {
    std::vector<std::string_view> stars;
    if (match(rule.from, key, stars)) return expand(rule.to, stars);
  }
  return std::nullopt;
}

Checkpoint rename_keys(const Checkpoint& checkpoint, std::span<const RenameRule> rules) {
  Checkpoint renamed{.tensors = {}, .texts = checkpoint.texts};
  std::map<std::string, std::string> origins;
  for (const auto& [key, tensor] : checkpoint.tensors) {
    const auto name = rename_key(key, rules).value_or(key);
    const auto [origin, is_new] = origins.emplace(name, key);
    CADENZA_REQUIRE(is_new, ErrorCode::kInvalidArgument, "keys '", origin->second, "' and '", key,
                    "' both stand for '", name, "'");
    renamed.tensors.emplace(name, tensor);
  }
  return renamed;
}

}  // namespace cadenza
