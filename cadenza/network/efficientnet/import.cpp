#include "cadenza/network/efficientnet/import.h"

#include <charconv>
#include <set>
#include <utility>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/checkpoint/rename.h"

namespace cadenza {

namespace {

using BlockPlace = std::pair<int, int>;  ///< stage, block in it

/// Every block that has a depthwise convolution, in order.
std::set<BlockPlace> blocks_of(const Checkpoint& checkpoint) {
  const RenameRule depthwise{"blocks.*.*.conv_dw.weight", "$1 $2"};
  std::set<BlockPlace> blocks;
  for (const auto& [key, tensor] : checkpoint.tensors) {
    const auto place = rename_key(key, {&depthwise, 1});
    if (!place) continue;
    BlockPlace block{};
    const char* end = place->data() + place->size();
    const auto [after, stage_error] = std::from_chars(place->data(), end, block.first);
    if (stage_error != std::errc() || after == end) continue;
    const auto [stop, block_error] = std::from_chars(after + 1, end, block.second);
    if (block_error == std::errc() && stop == end) blocks.insert(block);
  }
  return blocks;
}

}  // namespace

Checkpoint translate_efficientnet(const Checkpoint& published) {
  if (!published.tensors.contains("conv_stem.weight")) return published;
  std::vector<RenameRule> rules{{"conv_stem.**", "_conv_stem.$1"},
                                {"bn1.**", "_bn0.$1"},
                                {"conv_head.**", "_conv_head.$1"},
                                {"bn2.**", "_bn1.$1"},
                                {"classifier.**", "_fc.$1"}};
  int flat_block = 0;
  for (const auto& [stage, block] : blocks_of(published)) {
    const auto theirs = cat("blocks.", stage, '.', block, '.');
    const auto ours = cat("_blocks.", flat_block++, '.');
    const auto add = [&](const char* from, const char* to) {
      rules.push_back({cat(theirs, from, ".**"), cat(ours, to, ".$1")});
    };
    const bool expands = published.tensors.contains(theirs + "conv_pwl.weight");
    add("conv_dw", "_depthwise_conv");
    add("se.conv_reduce", "_se_reduce");
    add("se.conv_expand", "_se_expand");
    add("conv_pw", expands ? "_expand_conv" : "_project_conv");
    add("conv_pwl", "_project_conv");
    add("bn1", expands ? "_bn0" : "_bn1");
    add("bn2", expands ? "_bn1" : "_bn2");
    add("bn3", "_bn2");
  }
  return rename_keys(published, rules);
}

}  // namespace cadenza
