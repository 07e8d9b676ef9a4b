#include "cadenza/experiment/protocol.h"

#include <algorithm>
#include <map>
#include <set>

#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/file.h"

namespace cadenza {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAreArray;
using Names = std::vector<std::string>;
using Steps = std::vector<Names>;

// iuf.md section 2: label index is the alphabetical position.
const Names kMvtec = {"bottle",   "cable",      "capsule",    "carpet", "grid",
                      "hazelnut", "leather",    "metal_nut",  "pill",   "screw",
                      "tile",     "toothbrush", "transistor", "wood",   "zipper"};
const Names kVisa = {"candle",    "capsules", "cashew", "chewinggum", "fryum", "macaroni1",
                     "macaroni2", "pcb1",     "pcb2",   "pcb3",       "pcb4",  "pipe_fryum"};

std::vector<std::size_t> sizes(const TaskStream& stream) {
  std::vector<std::size_t> all;
  for (const auto& step : stream.steps) all.push_back(step.size());
  return all;
}

TEST(MakeStream, CutsByTheGrammar) {
  const Names tasks = {"d", "b", "a", "c"};
  EXPECT_EQ(make_stream("1xN", tasks).steps, (Steps{{"a"}, {"b"}, {"c"}, {"d"}}));
  EXPECT_EQ(make_stream("1x4", tasks).steps, (Steps{{"a"}, {"b"}, {"c"}, {"d"}}));
  EXPECT_EQ(make_stream("2x2", tasks).steps, (Steps{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(make_stream("2xN", tasks).steps, (Steps{{"a", "b"}, {"c", "d"}}));
  EXPECT_EQ(make_stream("4x1", tasks).steps, (Steps{{"a", "b", "c", "d"}}));
  EXPECT_EQ(make_stream("joint", tasks).steps, (Steps{{"a", "b", "c", "d"}}));
  EXPECT_EQ(make_stream("3-1", tasks).steps, (Steps{{"a", "b", "c"}, {"d"}}));
  EXPECT_EQ(make_stream("1-2", tasks).steps, (Steps{{"a"}, {"b", "c"}, {"d"}}));
  EXPECT_EQ(make_stream("2-1x2", tasks).steps, (Steps{{"a", "b"}, {"c"}, {"d"}}));
}

TEST(MakeStream, SortsByBytes) {
  const Names tasks = {"b", "\xC3\xA4", "Z", "a2", "a10"};
  EXPECT_THAT(make_stream("1xN", tasks).order, ElementsAre("Z", "a10", "a2", "b", "\xC3\xA4"));
}

TEST(MakeStream, OrderChoosesAndArrangesTasks) {
  const Names tasks = {"a", "b", "c", "d"};
  EXPECT_EQ(make_stream("1-2", tasks, Names{"d", "a", "c"}).steps, (Steps{{"d"}, {"a", "c"}}));
}

// The table of iuf.md section 2, by label index.
TEST(NamedProtocols, IufStepsAsInItsTable) {
  const auto expect = [](const char* name, const Names& tasks,
                         const std::vector<std::pair<int, int>>& ranges) {
    const auto stream = make_stream(name, tasks);
    Steps expected;
    for (const auto& [first, last] : ranges) {
      expected.emplace_back(tasks.begin() + first - 1, tasks.begin() + last);
    }
    EXPECT_EQ(stream.steps, expected) << name;
  };
  expect("mvtec-14-1", kMvtec, {{1, 14}, {15, 15}});
  expect("mvtec-10-5", kMvtec, {{1, 10}, {11, 15}});
  expect("mvtec-3-3", kMvtec, {{1, 3}, {4, 6}, {7, 9}, {10, 12}, {13, 15}});
  expect("mvtec-10-1", kMvtec, {{1, 10}, {11, 11}, {12, 12}, {13, 13}, {14, 14}, {15, 15}});
  expect("visa-11-1", kVisa, {{1, 11}, {12, 12}});
  expect("visa-8-4", kVisa, {{1, 8}, {9, 12}});
  expect("visa-8-1", kVisa, {{1, 8}, {9, 9}, {10, 10}, {11, 11}, {12, 12}});
}

// dne_cl.md 3.1: the training images of each step of order 1, from the classes' sizes.
TEST(NamedProtocols, DneOrdersGiveTheStatedStepSizes) {
  const std::map<std::string, int> n_train = {
      {"carpet", 280}, {"grid", 264},  {"leather", 245},   {"tile", 230},       {"wood", 247},
      {"bottle", 209}, {"cable", 224}, {"capsule", 219},   {"hazelnut", 391},   {"metal_nut", 220},
      {"pill", 267},   {"screw", 320}, {"toothbrush", 60}, {"transistor", 213}, {"zipper", 240}};
  std::vector<int> sums;
  for (const auto& step : make_stream("mvtec_3x5_o1", kMvtec).steps) {
    int sum = 0;
    for (const auto& task : step) sum += n_train.at(task);
    sums.push_back(sum);
  }
  EXPECT_THAT(sums, ElementsAre(674, 824, 681, 727, 723));
  // Order 2 has the same groups as order 1 in another sequence; order 3 has its own.
  const auto groups = [](const char* name) {
    std::set<std::set<std::string>> all;
    for (const auto& step : make_stream(name, kMvtec).steps) all.emplace(step.begin(), step.end());
    return all;
  };
  EXPECT_EQ(groups("mvtec_3x5_o1"), groups("mvtec_3x5_o2"));
  EXPECT_THAT(make_stream("mvtec_3x5_o2", kMvtec).steps[0],
              ElementsAre("wood", "transistor", "pill"));
  EXPECT_THAT(make_stream("mvtec_3x5_o3", kMvtec).steps[3],
              ElementsAre("cable", "metal_nut", "hazelnut"));
  EXPECT_THAT(sizes(make_stream("mvtec_10-1x5_o1", kMvtec)), ElementsAre(10, 1, 1, 1, 1, 1));
  Names with_tiles = kMvtec;
  with_tiles.push_back("mtd");
  EXPECT_THAT(sizes(make_stream("mtd_mvtec_3x5", with_tiles)), ElementsAre(1, 3, 3, 3, 3, 3));
  EXPECT_EQ(make_stream("mtd_mvtec_3x5", with_tiles).order.front(), "mtd");
}

// dne_cl.md 3.2, as Python's shuffle of seed 42 leaves it.
TEST(NamedProtocols, MvtecLocoStream) {
  Names tasks = kMvtec;
  for (const auto* loco :
       {"breakfast_box", "juice_bottle", "pushpins", "screw_bag", "splicing_connectors"}) {
    tasks.emplace_back(loco);
  }
  const auto stream = make_stream("mvtec_loco_20", tasks);
  EXPECT_EQ(stream.steps.size(), 20);
  EXPECT_EQ(stream.order[0], "splicing_connectors");
  EXPECT_EQ(stream.order[6], "breakfast_box");
  EXPECT_EQ(stream.order[10], "pushpins");
  EXPECT_EQ(stream.order[15], "juice_bottle");
  EXPECT_EQ(stream.order[19], "carpet");
}

TEST(NamedProtocols, EachUsesEachOfItsTasksOnce) {
  for (const auto& protocol : named_protocols()) {
    const auto stream = make_stream(protocol.name, protocol.tasks);
    EXPECT_THAT(stream.order, UnorderedElementsAreArray(protocol.tasks)) << protocol.name;
    Names joined;
    for (const auto& step : stream.steps) joined.insert(joined.end(), step.begin(), step.end());
    EXPECT_EQ(joined, stream.order) << protocol.name;
  }
}

TEST(MakeStream, ErrorsSayWhatIsWanted) {
  const Names tasks = {"a", "b", "c"};
  const auto message = [&](std::string_view protocol, std::optional<Names> order = {}) {
    const auto error = error_of([&] { make_stream(protocol, tasks, order); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << protocol;
    return std::string(error.what());
  };
  EXPECT_THAT(message("mvtec-14-2"), HasSubstr("did you mean 'mvtec-14-1'? known: KxT, X-Y"));
  for (const auto* odd :
       {"", "x", "1x", "x3", "0x3", "1x0", "1-", "1-2x", "1x3x", "-1x3", "1x3 "}) {
    EXPECT_THAT(message(odd), HasSubstr("no protocol")) << odd;
  }
  EXPECT_THAT(message("2x2"), HasSubstr("'2x2' takes 4 tasks, but there are only 3: a, b, c"));
  EXPECT_THAT(message("1x2"), HasSubstr("takes 2 tasks, but there are 3; name those"));
  EXPECT_THAT(message("2xN"), HasSubstr("takes 2 tasks a step, and 3 tasks leave 1 over"));
  EXPECT_THAT(message("4-1"), HasSubstr("takes at least 4 tasks"));
  EXPECT_THAT(message("1xN", Names{"a", "z"}), HasSubstr("no task z; they have a, b, c"));
  EXPECT_THAT(message("1xN", Names{"a", "a"}), HasSubstr("'a' stands there twice"));
  EXPECT_THAT(message("visa-8-4"), HasSubstr("'visa-8-4': the data have no task candle"));
  EXPECT_THAT(message("mvtec_3x5_o1", Names{"a"}), HasSubstr("use '3x5' with --order"));
}

TEST(ParseOrder, ListSeedAndFile) {
  const Names tasks = {"c", "a", "b", "d", "e"};
  EXPECT_THAT(parse_order("b,a,,c", tasks), ElementsAre("b", "a", "c"));

  const auto shuffled = parse_order("seed:3", tasks);
  EXPECT_THAT(shuffled, UnorderedElementsAreArray(tasks));
  Names reversed(tasks.rbegin(), tasks.rend());
  EXPECT_EQ(parse_order("seed:3", reversed), shuffled);  // not of how the data are listed
  EXPECT_NE(parse_order("seed:4", tasks), shuffled);
  EXPECT_EQ(error_of([&] { parse_order("seed:x", tasks); }).code(), ErrorCode::kInvalidArgument);

  const TemporaryFolder folder;
  const auto file = folder.path() / "order.txt";
  write_file_atomic(file, "# mine\nb\r\n\na \nc");
  EXPECT_THAT(parse_order(file.string(), tasks), ElementsAre("b", "a", "c"));
  EXPECT_THAT(parse_order("file:" + file.string(), tasks), ElementsAre("b", "a", "c"));
  EXPECT_EQ(error_of([&] { parse_order("file:/none", tasks); }).code(), ErrorCode::kNotFound);
}

}  // namespace
}  // namespace cadenza
