// Section 8 of the dual_prompt specification: the grammar of sections 2 and 7 as a table.
#include <string>
#include <vector>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/method/dual_prompt/sites.h"
#include "cadenza/network/registry.h"

namespace cadenza::dual_prompt {
namespace {

using testing::HasSubstr;

std::string named(const std::string& network, const std::string& text) {
  const auto known = list_injection_sites(builtin_networks().find(network));
  std::string names;
  for (const auto& site : parse_sites(text, known, network)) {
    names += (names.empty() ? "" : " ") + site.name;
  }
  return names;
}

std::string blocks(int stage, int n_blocks) {
  std::string names;
  for (int block = 1; block <= n_blocks; ++block) {
    names += (block > 1 ? " s" : "s") + std::to_string(stage) + 'b' + std::to_string(block);
  }
  return names;
}

TEST(grammar, EveryFormNamesItsBlocksOfConvNextBase) {
  const auto every = blocks(1, 3) + ' ' + blocks(2, 3) + ' ' + blocks(3, 27) + ' ' + blocks(4, 3);
  const std::vector<std::pair<std::string, std::string>> table = {
      {"s4b1,s4b2,s4b3", "s4b1 s4b2 s4b3"},  // the authors' README
      {"all", every},                        // the program's default
      {"*", every},
      {"ALL", every},
      {"s3:*", blocks(3, 27)},
      {"S4:*", "s4b1 s4b2 s4b3"},
      {"s4b1-3", "s4b1 s4b2 s4b3"},
      {"s2b2-2", "s2b2"},
      {"S3B27", "s3b27"},
      {"s4b3,s1b2,s4b1", "s1b2 s4b1 s4b3"},         // sorted
      {"s4b1,s4b1-2,s4:*,s4b3", "s4b1 s4b2 s4b3"},  // once each
      {" s1b1 ,\ts2b1-2", "s1b1 s2b1 s2b2"},
      {"s1b1,all", every},
      {"none", ""}};
  for (const auto& [text, wanted] : table) EXPECT_EQ(named("convnext_base", text), wanted) << text;
}

TEST(grammar, EveryErrorNamesTheTokenAndTheRange) {
  struct Row {
    std::string text, token, range;
  };
  const std::vector<Row> table = {{"s4b1,s5b1", "s5b1", "a stage from 1 to 4"},
                                  {"s0:*", "s0:*", "a stage from 1 to 4"},
                                  {"s4b4", "s4b4", "a block from 1 to 3 of stage 4"},
                                  {"s4b0", "s4b0", "a block from 1 to 3 of stage 4"},
                                  {"s3b20-28", "s3b20-28", "a block from 1 to 27 of stage 3"},
                                  {"s3b9-2", "s3b9-2", "not behind the last"},
                                  {"s4b1,stage4", "stage4", "sK:*, sKbI or sKbI-J"},
                                  {"s4b1,,s4b2", "", "sK:*, sKbI or sKbI-J"}};
  for (const auto& row : table) {
    const auto error = error_of([&] { named("convnext_base", row.text); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << row.text;
    EXPECT_THAT(error.what(), HasSubstr("token '" + row.token + "'"));
    EXPECT_THAT(error.what(), HasSubstr(row.range));
  }
}

// Stages as published: ConvNeXt (3,3,9,3) and (3,3,27,3); EfficientNet-B0's table of 1,2,2,3,3,4,1
// blocks, which Lite0 keeps.
TEST(grammar, StagesAreThePublishedOnes) {
  EXPECT_EQ(named("convnext_tiny", "s3:*"), blocks(3, 9));
  for (const auto* network : {"convnext_small", "convnext_large"}) {
    EXPECT_EQ(named(network, "s3:*"), blocks(3, 27));
  }
  const std::vector<int> n_blocks = {1, 2, 2, 3, 3, 4, 1};
  std::string every;
  for (int stage = 1; stage <= 7; ++stage) {
    const auto wanted = blocks(stage, n_blocks[static_cast<std::size_t>(stage - 1)]);
    EXPECT_EQ(named("efficientnet_lite0", cat('s', stage, ":*")), wanted);
    every += (stage > 1 ? " " : "") + wanted;
  }
  EXPECT_EQ(named("efficientnet_lite0", "all"), every);
}

}  // namespace
}  // namespace cadenza::dual_prompt
