#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "cadenza/network/description.h"

namespace cadenza::dual_prompt {

/// The blocks that `text` names, in the network's order, each once; case does not matter.
///
///   all, *    every block        sK:*   every block of stage K
///   none      no block           sKbI   block I of stage K      sKbI-J   blocks I to J
///
/// Several, but for `none`, are joined by commas. All numbers count from 1.
/// `known`  the network's blocks; `network` its name, for messages.
/// Errors   kInvalidArgument naming the token and what would be valid.
std::vector<InjectionSite> parse_sites(std::string_view text, std::span<const InjectionSite> known,
                                       std::string_view network);

/// One block, sKbI. Errors as parse_sites(), naming the option `analysis_site`.
InjectionSite parse_site(std::string_view text, std::span<const InjectionSite> known,
                         std::string_view network);

}  // namespace cadenza::dual_prompt
