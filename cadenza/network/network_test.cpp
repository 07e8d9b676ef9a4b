#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/network/engine.h"
#include "cadenza/network/registry.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {
namespace {

TEST(Networks, EnginesAgree) {
  const auto registry = builtin_networks();
  const auto& entry = registry.find("efficientnet_lite_test");
  const auto graph = entry.describe({.taps = {"stage.2", "stage.4", "logits"}});
  const auto weights = load_weights(entry, graph, {}, "random:3");
  const auto torch = make_engine(graph, weights, {.kind = EngineKind::kTorch});
  const auto openvino = make_engine(graph, weights, {.kind = EngineKind::kOpenvino});
  at::manual_seed(1);
  const std::vector<at::Tensor> inputs{at::randn({11, 3, 32, 32})};
  const auto a = torch->run(inputs);
  const auto b = openvino->run(inputs);
  for (std::size_t tap = 0; tap < a.size(); ++tap) {
    EXPECT_LT((a[tap] - b[tap]).abs().max().item<double>(),
              1e-5 * a[tap].abs().max().item<double>());
  }
}

}  // namespace
}  // namespace cadenza
