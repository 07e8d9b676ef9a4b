#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

namespace cadenza {

/// Keys keep the order in which they were written. Numbers that are not finite become null.
using Json = nlohmann::ordered_json;

/// Errors: kCorruptData naming `name` and the byte where the text stops being JSON.
Json parse_json(std::string_view text, std::string_view name);
Json read_json(const std::filesystem::path& path);

/// The member `key` of an object. Errors: kCorruptData naming `name` and the key.
const Json& json_member(const Json& object, std::string_view key, std::string_view name);

}  // namespace cadenza
