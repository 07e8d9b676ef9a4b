#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cadenza {

/// The known name with the fewest edits (insert, delete, replace, swap of neighbours) from `name`,
/// or an empty text when none is near enough to be a slip of the finger.
std::string nearest_name(std::string_view name, std::span<const std::string> known);

/// "no KIND 'NAME'; did you mean 'X'? known: A, B, C": what every registry answers.
std::string unknown_name_message(std::string_view kind, std::string_view name,
                                 std::span<const std::string> known);

/// "a, b, c"
std::string join(std::span<const std::string> parts, std::string_view separator = ", ");

}  // namespace cadenza
