// Every strategy with every method: those that share parameters train with it, the others say why
// not. New folders under cadenza/continual/ and cadenza/method/ are covered without an edit.
#include "tests/conformance/fake_stream.h"
#include "tests/conformance/subjects.h"
#include "tests/support/error_of.h"
#include "tests/support/temporary_folder.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/experiment/trainer.h"
#include "cadenza/inspector/state_file.h"

namespace cadenza {
namespace {

using Pair = std::tuple<std::string, std::string>;  // strategy, method

/// All pairs in which the method shares parameters, or shares none.
std::vector<Pair> pairs(bool shares_parameters) {
  std::vector<Pair> all;
  for (const auto& strategy : builtin_strategies().names()) {
    for (const auto& method : subjects().names()) {
      if (make_tiny(method)->info().shares_parameters == shares_parameters) {
        all.emplace_back(strategy, method);
      }
    }
  }
  return all;
}

std::string pair_name(const testing::TestParamInfo<Pair>& instance) {
  return std::get<0>(instance.param) + "_" + std::get<1>(instance.param);
}

class StrategyWithMethod : public testing::TestWithParam<Pair> {
 protected:
  StrategyWithMethod() : stream_(make_tiny(method_name())->info().input) {}
  static std::string strategy_name() { return std::get<0>(GetParam()); }
  static std::string method_name() { return std::get<1>(GetParam()); }

  static std::unique_ptr<ContinualStrategy> make_strategy() {
    const auto strategies = builtin_strategies();
    const auto& entry = strategies.find(strategy_name());
    return entry.make(Options(entry.name, entry.options, {}), 1);
  }
  void train(Method& method, ContinualStrategy& strategy, std::int64_t task) const {
    method.train_task(*stream_.training(task), {.seed = 1, .strategy = &strategy});
  }

  FakeStream stream_;
};

TEST_P(StrategyWithMethod, TrainsTheStreamAndGoesOnAfterLoad) {
  const auto whole = make_tiny(method_name());
  const auto strategy = make_strategy();
  train(*whole, *strategy, 0);
  train(*whole, *strategy, 1);
  const auto state = whole->save();
  const auto kept = strategy->save();
  EXPECT_EQ(write_state_file(kept), write_state_file(strategy->save()));
  train(*whole, *strategy, 2);
  const auto found = whole->score(stream_.normals(0), {});
  EXPECT_TRUE(found.image_score.isfinite().all().item<bool>());

  // Stopped after the second task and resumed: the third ends in the same bytes.
  const auto resumed = make_tiny(method_name());
  resumed->load(state);
  const auto loaded = make_strategy();
  loaded->load(kept);
  EXPECT_EQ(write_state_file(loaded->save()), write_state_file(kept));
  train(*resumed, *loaded, 2);
  EXPECT_EQ(write_state_file(resumed->save().shared), write_state_file(whole->save().shared));
  EXPECT_EQ(write_state_file(loaded->save()), write_state_file(strategy->save()));
}

class StrategyWithout : public StrategyWithMethod {};

TEST_P(StrategyWithout, IsRefusedWithTheReasonWhereNothingIsShared) {
  const TemporaryFolder folder;
  const ExperimentSettings settings{.method = method_name(),
                                    .options = subjects().find(method_name()).tiny,
                                    .strategy = strategy_name()};
  ExperimentParts parts;
  for (const auto& name : subjects().names()) parts.methods.add(subjects().find(name));
  parts.strategies = builtin_strategies();
  const TaskStream stream{.order = {"a"}, .steps = {{"a"}}};
  const auto error = error_of([&] { Trainer(settings, parts, stream, {}, 0, folder.path()); });
  EXPECT_EQ(error.code(), ErrorCode::kUnsupported);
  EXPECT_THAT(error.what(), testing::HasSubstr(method_name()));
  EXPECT_THAT(error.what(), testing::HasSubstr("parameters that tasks share"));
}

INSTANTIATE_TEST_SUITE_P(Every, StrategyWithMethod, testing::ValuesIn(pairs(true)), pair_name);
INSTANTIATE_TEST_SUITE_P(Every, StrategyWithout, testing::ValuesIn(pairs(false)), pair_name);

}  // namespace
}  // namespace cadenza
