// methods, strategies, protocols, licenses, doctor and report, run as a user runs them.
#include <algorithm>
#include <fstream>
#include <iterator>
#include <map>

#include "tests/support/run_program.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"
#include "cadenza/base/json.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

ProgramResult cadenza(std::vector<std::string> words) {
  words.insert(words.begin(), CADENZA_PROGRAM);
  return run_program(words);
}

Json json_of(const ProgramResult& result) { return parse_json(result.out, "standard output"); }

TEST(ListingCommands, StrategiesAreThoseOfTheRegistryWithTheirOptions) {
  const auto listed = json_of(cadenza({"strategies", "--json"})).at("strategies");
  ASSERT_GT(listed.size(), 5U);
  for (const auto& one : listed) {
    for (const char* key : {"name", "summary", "source", "options", "frozen"}) {
      EXPECT_TRUE(one.contains(key)) << one.dump();
    }
  }
  const auto described = cadenza({"strategies", "ewc"});
  EXPECT_EQ(described.status, 0) << described.err;
  EXPECT_THAT(described.out, HasSubstr("lambda="));
  EXPECT_THAT(cadenza({"strategies", "--cite", "ewc"}).out, HasSubstr("@article{kirkpatrick"));
}

TEST(ListingCommands, UnknownNamesNameTheNearest) {
  const auto strategy = cadenza({"strategies", "ewcc"});
  EXPECT_EQ(strategy.status, 11);
  EXPECT_THAT(strategy.err, HasSubstr("ewc"));
  const auto method = cadenza({"methods", "--cite", "no_such_method"});
  EXPECT_EQ(method.status, 11);
  EXPECT_THAT(method.err, HasSubstr("no_such_method"));
}

TEST(ListingCommands, MethodsHaveTheMembersOfTheContract) {
  const auto result = cadenza({"methods", "--json"});
  ASSERT_EQ(result.status, 0) << result.err;
  for (const auto& one : json_of(result).at("methods")) {
    for (const char* key : {"name", "summary", "source", "shares_parameters", "options"}) {
      EXPECT_TRUE(one.contains(key)) << one.dump();
    }
  }
}

// Parameters as torchvision, timm and the papers count them.
TEST(ListingCommands, NetworksTellTheirTapsParametersInputAndWeights) {
  const TemporaryFolder weights;
  const auto listed =
      json_of(cadenza({"networks", "--json", "--weights", weights.path().string()}));
  std::map<std::string, Json> by_name;
  for (const auto& one : listed.at("networks")) by_name[one.at("name")] = one;
  const std::map<std::string, std::int64_t> published = {
      {"resnet18", 11'689'512},        {"resnet50", 25'557'032},
      {"wide_resnet50_2", 68'883'240}, {"vit_base_patch16", 86'567'656},
      {"convnext_base", 88'591'464},   {"efficientnet_lite0", 4'652'008}};
  for (const auto& [name, n_parameters] : published) {
    EXPECT_EQ(by_name.at(name).at("parameters"), n_parameters) << name;
    EXPECT_EQ(by_name.at(name).at("weights").at("present"), false);
  }
  EXPECT_FALSE(by_name.contains("resnet_test"));
  const auto& lite = by_name.at("efficientnet_lite0");
  EXPECT_EQ(lite.at("input").at("size_px"), 224);
  const auto tap = std::ranges::find_if(
      lite.at("taps"), [](const Json& one) { return one.at("name") == "stage.5"; });
  ASSERT_NE(tap, lite.at("taps").end());
  EXPECT_EQ(tap->at("shape"), parse_json("[null, 112, 14, 14]", "shape"));
  EXPECT_EQ(tap->at("stride_px"), 16);
  EXPECT_THAT(cadenza({"networks"}).out, HasSubstr("resnet18"));
  const auto described = cadenza({"networks", "vit_base_patch16"}).out;
  EXPECT_THAT(described, HasSubstr("cls.11      [B,768]"));
  EXPECT_THAT(described, HasSubstr("mean 0.5, 0.5, 0.5"));
  const auto unknown = cadenza({"networks", "resnet81"});
  EXPECT_EQ(unknown.status, 11);
  EXPECT_THAT(unknown.err, HasSubstr("did you mean 'resnet18'?"));
}

TEST(ListingCommands, ProtocolsListThePublishedStreams) {
  const auto listed = json_of(cadenza({"protocols", "--json"}));
  EXPECT_EQ(listed.at("patterns").size(), 4U);
  const auto text = cadenza({"protocols"}).out;
  for (const char* name : {"mvtec-14-1", "visa-8-1", "mvtec_loco_20", "KxT"}) {
    EXPECT_THAT(text, HasSubstr(name));
  }
}

TEST(ListingCommands, NoticesAreTheFileOfTheRepository) {
  std::ifstream file(fs::path(CADENZA_SOURCE) / "THIRD_PARTY_NOTICES.md");
  const std::string text(std::istreambuf_iterator<char>(file), {});
  EXPECT_EQ(cadenza({"licenses", "--notices"}).out, text)
      << "run: cadenza licenses --notices > THIRD_PARTY_NOTICES.md";
  EXPECT_THAT(cadenza({"licenses"}).out, HasSubstr("CC-BY-NC-SA-4.0"));
}

TEST(Readme, ShowsTheExampleThatIsCompiled) {
  const auto text_of = [](const char* name) {
    std::ifstream file(fs::path(CADENZA_SOURCE) / name);
    return std::string(std::istreambuf_iterator<char>(file), {});
  };
  const auto readme = text_of("README.md");
  const std::string fence = "```cpp\n";
  const auto start = readme.find(fence) + fence.size();
  EXPECT_EQ(readme.substr(start, readme.find("```", start) - start),
            text_of("examples/teach_and_inspect.cpp"));
}

TEST(Doctor, TellsWhatIsMissingAndEndsWithItsStatus) {
  const TemporaryFolder folder;
  const auto result = cadenza({"doctor", "--json", "--weights", folder.path().string(), "--model",
                               (folder.path() / "line").string()});
  EXPECT_EQ(result.status, 11) << result.err;
  const auto json = json_of(result);
  EXPECT_FALSE(json.at("good").get<bool>());
  std::vector<std::string> wrong;
  for (const auto& finding : json.at("findings")) {
    if (!finding.at("good").get<bool>()) {
      wrong.push_back(finding.at("name"));
      EXPECT_EQ(finding.at("remedy"), "cadenza weights import");
    }
  }
  EXPECT_THAT(wrong, testing::ElementsAre("weights efficientnet_lite0"));
  EXPECT_THAT(result.out, HasSubstr("torch-"));
  EXPECT_THAT(result.out, HasSubstr("openvino-"));
}

TEST(Doctor, NamesTheDigestOfWeightsAndAFolderThatIsNotThere) {
  const TemporaryFolder folder;
  write_file_atomic(folder.path() / "efficientnet_lite0.safetensors", std::string_view("abc"));
  const auto result = cadenza({"doctor", "--weights", folder.path().string(), "--model",
                               (folder.path() / "no" / "such").string()});
  EXPECT_EQ(result.status, 11);
  EXPECT_THAT(result.out, HasSubstr("does not exist; create it"));
  // SHA-256 of "abc", FIPS 180-2.
  EXPECT_THAT(result.out,
              HasSubstr("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
}

TEST(ReportCommand, SaysWhatAFolderLacks) {
  const TemporaryFolder folder;
  const auto result = cadenza({"report", folder.path().string()});
  EXPECT_EQ(result.status, 11);
  EXPECT_THAT(result.err, HasSubstr("no seed-K/results.json"));
  EXPECT_EQ(cadenza({"report"}).status, 2);
}

}  // namespace
}  // namespace cadenza
