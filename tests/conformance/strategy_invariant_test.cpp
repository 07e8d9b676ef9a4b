// Invariants 8.1 of the dne_cl specification: a strategy that is switched off is plain fine-tuning,
// bit for bit, with every method that shares parameters.
#include "tests/conformance/fake_stream.h"
#include "tests/conformance/subjects.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/continual/strategy.h"
#include "cadenza/inspector/state_file.h"

namespace cadenza {
namespace {

struct SwitchedOff {
  std::string strategy;
  OptionTexts options;
};

const std::vector<SwitchedOff>& all_switched_off() {
  static const std::vector<SwitchedOff> all = {
      {"ewc", {{"lambda", "0"}}},      {"si", {{"c", "0"}}},
      {"mas", {{"lambda", "0"}}},      {"lwf", {{"lambda", "0"}}},
      {"replay", {{"capacity", "0"}}}, {"er", {{"capacity", "0"}}},
      {"agem", {{"capacity", "0"}}},   {"gpm", {{"threshold", "0"}, {"increment", "0"}}},
  };
  return all;
}

std::vector<std::string> sharing_methods() {
  std::vector<std::string> names;
  for (const auto& name : subjects().names()) {
    if (make_tiny(name)->info().shares_parameters) names.push_back(name);
  }
  return names;
}

class SwitchedOffStrategy : public testing::TestWithParam<std::string> {
 protected:
  /// The shared state after two tasks.
  static std::string learned(const std::string& strategy_name, const OptionTexts& options) {
    const auto strategies = builtin_strategies();
    const auto& entry = strategies.find(strategy_name);
    const auto strategy = entry.make(Options(entry.name, entry.options, options), 1);
    const auto method = make_tiny(GetParam());
    const FakeStream stream(method->info().input);
    for (const std::int64_t task : {0, 1}) {
      method->train_task(*stream.training(task), {.seed = 1, .strategy = strategy.get()});
    }
    const auto bytes = write_state_file(method->save().shared);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
};

TEST_P(SwitchedOffStrategy, IsFinetuneBitForBit) {
  const auto plain = learned("finetune", {});
  for (const auto& off : all_switched_off()) {
    EXPECT_TRUE(learned(off.strategy, off.options) == plain) << off.strategy;
  }
}

INSTANTIATE_TEST_SUITE_P(Every, SwitchedOffStrategy, testing::ValuesIn(sharing_methods()),
                         [](const auto& instance) { return instance.param; });

}  // namespace
}  // namespace cadenza
