#include "cadenza/method/dual_prompt/sites.h"

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/network/registry.h"

namespace cadenza::dual_prompt {
namespace {

using testing::HasSubstr;

std::vector<InjectionSite> known_sites(const std::string& network) {
  return list_injection_sites(builtin_networks().find(network));
}

std::string error(const std::string& text) {
  const auto known = known_sites("convnext_base");
  const auto found = error_of([&] { parse_sites(text, known, "convnext_base"); });
  EXPECT_EQ(found.code(), ErrorCode::kInvalidArgument) << text;
  return found.what();
}

TEST(Sites, ErrorsNameTheTokenAndTheValidRange) {
  EXPECT_THAT(error("s4b1,s5b1"), HasSubstr("token 's5b1': expected a stage from 1 to 4"));
  EXPECT_THAT(error("s0:*"), HasSubstr("token 's0:*': expected a stage from 1 to 4"));
  EXPECT_THAT(error("S4b4"), HasSubstr("token 's4b4': expected a block from 1 to 3 of stage 4"));
  EXPECT_THAT(error("s3b5-28"), HasSubstr("from 1 to 27 of stage 3"));
  EXPECT_THAT(error("s3b5-2"), HasSubstr("first block that is not behind the last"));
  for (const auto* bad : {"", "s4", "s4b", "b1", "4b1", "s4b1-", "s4b-1", "s4:1", "s4b1x", "s4b1,,",
                          "all,none", "s99999999999b1", "s4:**", "s4b1;s4b2", "s 4b1"}) {
    EXPECT_THAT(error(bad), HasSubstr("expected all, *, none alone, sK:*, sKbI or sKbI-J")) << bad;
  }
}

TEST(Sites, AnAnalysisSiteIsOneBlock) {
  const auto known = known_sites("convnext_base");
  EXPECT_EQ(parse_site("S3B6", known, "convnext_base").name, "s3b6");
  for (const auto* bad : {"s3:*", "all", "s3b1-2", "stage.3", ""}) {
    EXPECT_THAT(error_of([&] { parse_site(bad, known, "convnext_base"); }).what(),
                HasSubstr("expected one block, sKbI"));
  }
  EXPECT_THAT(error_of([&] { parse_site("s4b9", known, "convnext_base"); }).what(),
              HasSubstr("analysis_site = 's4b9': expected a block from 1 to 3"));
}

TEST(Sites, ANetworkWithoutDepthwiseConvolutionsIsRefused) {
  const auto known = known_sites("vit_test");
  EXPECT_THAT(error_of([&] { parse_sites("all", known, "vit_test"); }).what(),
              HasSubstr("network = 'vit_test': expected a network of depthwise convolutions"));
}

TEST(Sites, KnowWhatEntersTheirBlock) {
  const auto networks = builtin_networks();
  const auto before = [&](const std::string& network, const std::string& site) {
    const auto& entry = networks.find(network);
    return tap_before(entry, parse_site(site, list_injection_sites(entry), network));
  };
  EXPECT_EQ(before("convnext_base", "s1b1"), "stem");
  EXPECT_EQ(before("convnext_base", "s4b1"), "downsample.4");
  EXPECT_EQ(before("convnext_base", "s4b3"), "s4b2");
  EXPECT_EQ(before("efficientnet_lite0", "s5b1"), "stage.4");
}

}  // namespace
}  // namespace cadenza::dual_prompt
