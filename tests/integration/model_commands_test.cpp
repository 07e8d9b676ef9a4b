// train, predict, task and threshold, run as a user runs them.
#include <fstream>
#include <iterator>

#include "tests/integration/command_fixture.h"

#include "cadenza/image/decode.h"

namespace cadenza {
namespace {

namespace fs = std::filesystem;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string text_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

class ModelCommands : public CommandTest {};

TEST_F(ModelCommands, TrainTellsWhatWasLearned) {
  const auto first = train("bottle");
  EXPECT_EQ(first.status, 0) << first.err;
  EXPECT_THAT(first.out, HasSubstr("bottle: learned from 30 images in "));
  EXPECT_THAT(first.out, HasSubstr("(left-out, 5 % false alarms, certified)"));
  const auto second = train("cable", {"--json", "--target-fpr", "0.1"});
  const Json told = parse_json(second.out, "train");
  EXPECT_EQ(told["task"]["name"], "cable");
  EXPECT_EQ(told["task"]["images"], 30);
  EXPECT_EQ(told["task"]["target_fpr"], 0.1);
  EXPECT_EQ(told["generation"], 2);
}

TEST_F(ModelCommands, PredictPrintsOneObjectAnImageInOrder) {
  train("bottle");
  train("cable");
  const auto result = predict({"new", "cable/0000.png"});
  EXPECT_EQ(result.status, 0) << result.err;
  const auto lines = lines_of(result.out);
  ASSERT_EQ(lines.size(), 4);
  EXPECT_EQ(lines[0]["file"], "new/bad/0000.png");
  EXPECT_EQ(lines[1]["file"], "new/good/0000.png");
  EXPECT_EQ(lines[3]["file"], "cable/0000.png");
  EXPECT_EQ(lines[0]["label"], "defect");
  EXPECT_EQ(lines[0]["task"], "bottle");
  EXPECT_EQ(lines[3]["task"], "cable");
  for (const auto* key : {"file", "task", "task_distance", "label", "score", "p_value", "threshold",
                          "regions", "model", "milliseconds"}) {
    EXPECT_TRUE(lines[0].contains(key)) << key;
  }
  const auto& region = lines[0]["regions"][0];
  for (const auto* key : {"x", "y", "width", "height", "area", "max_score"}) {
    EXPECT_TRUE(region[key].is_number()) << key;
  }
  EXPECT_EQ(region["centroid"].size(), 2);
  EXPECT_EQ(lines[0]["model"]["generation"], 2);
  EXPECT_THAT(lines[0]["model"]["digest"].get<std::string>(), HasSubstr("sha256:"));
  EXPECT_EQ(bytes_of("new/bad"), bytes_of("new/bad"));
}

TEST_F(ModelCommands, PredictWritesFilesOnlyWhereItIsTold) {
  train("bottle");
  const auto model = bytes_of("line");
  predict({"new"});
  EXPECT_FALSE(fs::exists(path("out")));
  const auto printed = predict({"new", "--out", "out", "--save", "overlay,map,mask"});
  EXPECT_EQ(bytes_of("line"), model);
  EXPECT_EQ(text_of(path("out/predictions.jsonl")), printed.out);
  const auto lines = lines_of(printed.out);
  EXPECT_EQ(lines[0]["overlay"], "out/overlay/new/bad/0000.png");
  EXPECT_EQ(lines[0]["map"], "out/map/new/bad/0000.tiff");
  EXPECT_EQ(read_image(path("out/mask/new/bad/0000.png")).width_px, 32);
  EXPECT_EQ(read_image(path("out/overlay/new/good/0001.png")).width_px, 32);

  std::istringstream table(text_of(path("out/predictions.csv")));
  std::vector<std::string> rows;
  for (std::string row; std::getline(table, row);) rows.push_back(row);
  ASSERT_EQ(rows.size(), 4);
  EXPECT_THAT(rows[0], HasSubstr("file,task,nearest_task,task_distance,label,score,p_value,"
                                 "threshold,overlay,map,mask,model_digest,model_generation,"
                                 "milliseconds,error_code,error_message"));
  EXPECT_THAT(rows[1], HasSubstr("new/bad/0000.png,bottle,,"));
  EXPECT_THAT(rows[1], HasSubstr(cat(",defect,", lines[0]["score"].dump(), ",")));
}

TEST_F(ModelCommands, SaveNeedsAPlaceAndKnownNames) {
  train("bottle");
  EXPECT_THAT(predict({"new", "--save", "map"}).err, HasSubstr("--save needs --out"));
  const auto unknown = predict({"new", "--out", "out", "--save", "heatmap"});
  EXPECT_EQ(unknown.status, 10);
  EXPECT_THAT(unknown.err, HasSubstr("'heatmap' is not one of overlay, map, mask, none"));
  EXPECT_FALSE(fs::exists(path("out")));
}

TEST_F(ModelCommands, FailOnSpeaksThroughTheExitStatus) {
  train("bottle");
  EXPECT_EQ(predict({"new"}).status, 0);
  EXPECT_EQ(predict({"new", "--fail-on", "defect"}).status, 1);
  EXPECT_EQ(predict({"new", "--fail-on", "unknown"}).status, 0);
  EXPECT_EQ(predict({"new/good/0000.png", "--fail-on", "defect,unknown"}).status, 0);
  EXPECT_EQ(predict({"new", "--fail-on", "anything"}).status, 2);
}

TEST_F(ModelCommands, ANamedTaskJudgesAlone) {
  train("bottle");
  train("cable");
  const auto lines = lines_of(predict({"new/good/0000.png", "--task", "cable"}).out);
  EXPECT_EQ(lines[0]["task"], "cable");
  EXPECT_EQ(lines[0]["label"], "defect");
  const auto unknown = predict({"new", "--task", "cabel"});
  EXPECT_EQ(unknown.status, 11);
  EXPECT_THAT(unknown.err, HasSubstr("no task 'cabel'; did you mean 'cable'?"));
}

TEST_F(ModelCommands, PredictForPeopleIsOneLineAnImage) {
  train("bottle");
  const auto result = run({"predict", "new", "--model", "line"});
  EXPECT_THAT(result.out, HasSubstr("new/bad/0000.png: defect bottle, score "));
  EXPECT_THAT(result.out, HasSubstr("new/good/0000.png: normal bottle, score "));
  EXPECT_THAT(result.err, HasSubstr("images: 3 in "));
  const auto quiet = run({"predict", "new", "--model", "line", "-q"});
  EXPECT_EQ(quiet.out, result.out);
  EXPECT_EQ(quiet.err, "");
}

TEST_F(ModelCommands, TasksAreListedShownRenamedAndTakenBack) {
  train("bottle");
  train("cable");
  Json listed = parse_json(run({"task", "list", "--model", "line", "--json"}).out, "list");
  EXPECT_EQ(listed["method"], "toy_colour");
  EXPECT_EQ(listed["generation"], 2);
  ASSERT_EQ(listed["tasks"].size(), 2);
  EXPECT_EQ(listed["tasks"][0]["name"], "bottle");
  EXPECT_THAT(run({"task", "list", "--model", "line"}).out, HasSubstr("cable: 30 images"));

  const auto before = bytes_of("line/state");
  EXPECT_EQ(run({"task", "rename", "--model", "line", "--task", "bottle", "--to", "flask"}).status,
            0);
  EXPECT_EQ(bytes_of("line/state"), before);
  const Json shown =
      parse_json(run({"task", "show", "--model", "line", "--task", "flask", "--json"}).out, "show");
  ASSERT_EQ(shown["history"].size(), 2);
  EXPECT_EQ(shown["history"][1]["change"], "rename bottle to flask");

  const auto undone = run({"task", "undo", "--model", "line"});
  EXPECT_THAT(undone.out, HasSubstr("took back: rename bottle to flask; generation 2"));
  EXPECT_EQ(run({"task", "undo", "--model", "line", "--task", "bottle"}).status, 0);
  listed = parse_json(run({"task", "list", "--model", "line", "--json"}).out, "list");
  ASSERT_EQ(listed["tasks"].size(), 1);
  EXPECT_EQ(listed["tasks"][0]["name"], "cable");

  const Json pruned = parse_json(run({"task", "prune", "--model", "line", "--json"}).out, "prune");
  EXPECT_EQ(pruned["generations"], 1);
  EXPECT_GT(pruned["freed_bytes"], 0);
  EXPECT_EQ(run({"task", "undo", "--model", "line"}).status, 10);
  EXPECT_EQ(run({"verify", "--model", "line"}).status, 0);
}

TEST_F(ModelCommands, ThresholdsAreShownAndSet) {
  train("bottle");
  EXPECT_THAT(run({"threshold", "show", "--model", "line"}).out, HasSubstr("bottle: "));
  EXPECT_EQ(
      run({"threshold", "set", "--model", "line", "--task", "bottle", "--value", "1e6"}).status, 0);
  EXPECT_EQ(lines_of(predict({"new/bad"}).out)[0]["label"], "normal");
  EXPECT_EQ(lines_of(predict({"new/bad"}).out)[0]["threshold"], 1e6);
  const auto set = run(
      {"threshold", "set", "--model", "line", "--task", "bottle", "--target-fpr", "0.2", "--json"});
  EXPECT_EQ(parse_json(set.out, "set")["tasks"][0]["target_fpr"], 0.2);
  EXPECT_EQ(parse_json(set.out, "set")["tasks"][0]["threshold_source"], "left-out");
  EXPECT_EQ(lines_of(predict({"new/bad"}).out)[0]["label"], "defect");
  EXPECT_EQ(run({"threshold", "set", "--model", "line", "--task", "bottle"}).status, 10);
}

TEST_F(ModelCommands, OptionsOfTheMethodAndAConfigurationFile) {
  write_file_atomic(path("c.yaml"), "method: toy_colour\nset:\n  calibrates: false\nseed: 3\n");
  const auto trained = run(
      {"train", "--task", "bottle", "--normal", "bottle", "--model", "line", "--config", "c.yaml"});
  EXPECT_EQ(trained.status, 0) << trained.err;
  EXPECT_THAT(trained.out, HasSubstr("6 images were held back for the threshold: every fifth"));
  EXPECT_THAT(trained.err, HasSubstr("warning: the threshold is an estimate"));
  EXPECT_THAT(train("cable", {"--set", "calibrates=true"}).err,
              HasSubstr("was made with calibrates="));
  EXPECT_THAT(train("cable", {"--set", "calibrates"}).err, HasSubstr("expected key=value"));
  EXPECT_EQ(run({"task", "list", "--model", "line"}).status, 0);
}

TEST_F(ModelCommands, AMethodThatDoesNotRouteAsksForTheTaskOnce) {
  for (const std::string task : {"bottle", "cable"}) {
    run({"train", "--task", task, "--normal", task, "--model", "line", "--method", "toy_linear"});
  }
  const auto result = predict({"new"});
  EXPECT_EQ(result.status, 10);
  EXPECT_EQ(result.out, "");
  EXPECT_THAT(result.err, HasSubstr("name it (--task); known: bottle, cable"));
  EXPECT_EQ(predict({"new", "--task", "bottle"}).status, 0);
}

}  // namespace
}  // namespace cadenza
