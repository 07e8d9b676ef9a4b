// Vector TV-12 of the dne_cl specification, section 8: a ViT of two blocks, its weights under
// timm's names and under those of Flax.
#include <cmath>
#include <string>

#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/network/torch_engine.h"
#include "cadenza/network/vit/import.h"
#include "cadenza/network/vit/vit.h"

namespace cadenza {
namespace {

/// Element k = scale * sin(0.1 K + 0.37 k), K = (sum of (position + 1) * character) mod 1000.
at::Tensor formula(const std::string& name, std::vector<std::int64_t> shape, double scale,
                   double added = 0) {
  std::int64_t sum = 0;
  for (std::size_t at = 0; at < name.size(); ++at) sum += std::int64_t(at + 1) * name[at];
  at::Tensor values = at::empty(shape, at::kFloat);
  auto* value = values.mutable_data_ptr<float>();
  for (std::int64_t k = 0; k < values.numel(); ++k) {
    value[k] = float(added + scale * std::sin(0.1 * double(sum % 1000) + 0.37 * double(k)));
  }
  return values;
}

using Named = std::map<std::string, at::Tensor>;

Named timm_weights() {
  Named all = {{"patch_embed.proj.weight", formula("embedding", {6, 3, 4, 4}, .2)},
               {"patch_embed.proj.bias", formula("embbias", {6}, .1)},
               {"cls_token", formula("cls", {1, 1, 6}, .5)},
               {"pos_embed", formula("pos", {1, 5, 6}, .3)},
               {"norm.weight", formula("norms", {6}, .1, 1)},
               {"norm.bias", formula("normb", {6}, .1)},
               {"head.weight", formula("head", {2, 6}, .3)},
               {"head.bias", formula("headb", {2}, .1)}};
  for (const std::string block : {"0", "1"}) {
    const auto add = [&](const std::string& name, const std::string& own,
                         std::vector<std::int64_t> shape, double scale, double added = 0) {
      all["blocks." + block + "." + name] = formula("b" + block + own, shape, scale, added);
    };
    add("norm1.weight", "n1s", {6}, .1, 1);
    add("norm1.bias", "n1b", {6}, .1);
    add("norm2.weight", "n2s", {6}, .1, 1);
    add("norm2.bias", "n2b", {6}, .1);
    add("attn.qkv.weight", "qkv", {18, 6}, .4);
    add("attn.qkv.bias", "qkvb", {18}, .05);
    add("attn.proj.weight", "proj", {6, 6}, .4);
    add("attn.proj.bias", "projb", {6}, .05);
    add("mlp.fc1.weight", "fc1", {24, 6}, .4);
    add("mlp.fc1.bias", "fc1b", {24}, .05);
    add("mlp.fc2.weight", "fc2", {6, 24}, .2);
    add("mlp.fc2.bias", "fc2b", {6}, .05);
  }
  return all;
}

/// The same as a Flax program stores them: axes and heads by the table of the specification, 1.2.
Named flax_weights(const std::string& prefix) {
  const auto timm = timm_weights();
  Named all = {{"embedding/kernel", timm.at("patch_embed.proj.weight").permute({2, 3, 1, 0})},
               {"embedding/bias", timm.at("patch_embed.proj.bias")},
               {"cls", timm.at("cls_token")},
               {"Transformer/posembed_input/pos_embedding", timm.at("pos_embed")},
               {"Transformer/encoder_norm/scale", timm.at("norm.weight")},
               {"Transformer/encoder_norm/bias", timm.at("norm.bias")},
               {"head/kernel", timm.at("head.weight").t()},
               {"head/bias", timm.at("head.bias")},
               {"pre_logits/kernel", at::zeros({6, 6})}};
  for (const std::string block : {"0", "1"}) {
    const auto from = [&](const std::string& name) {
      return timm.at("blocks." + block + "." + name);
    };
    const auto to = "Transformer/encoderblock_" + block + "/";
    for (const auto& [number, norm] : {std::pair{"0", "norm1"}, {"2", "norm2"}}) {
      all[to + "LayerNorm_" + number + "/scale"] = from(std::string(norm) + ".weight");
      all[to + "LayerNorm_" + number + "/bias"] = from(std::string(norm) + ".bias");
    }
    const auto attention = to + "MultiHeadDotProductAttention_1/";
    std::int64_t first = 0;
    for (const std::string part : {"query", "key", "value"}) {
      all[attention + part + "/kernel"] =
          from("attn.qkv.weight").slice(0, first, first + 6).t().reshape({6, 2, 3});
      all[attention + part + "/bias"] =
          from("attn.qkv.bias").slice(0, first, first + 6).reshape({2, 3});
      first += 6;
    }
    all[attention + "out/kernel"] = from("attn.proj.weight").t().reshape({2, 3, 6});
    all[attention + "out/bias"] = from("attn.proj.bias");
    for (const auto& [number, layer] : {std::pair{"0", "fc1"}, {"1", "fc2"}}) {
      const auto dense = to + "MlpBlock_3/Dense_" + number;
      all[dense + "/kernel"] = from(std::string("mlp.") + layer + ".weight").t();
      all[dense + "/bias"] = from(std::string("mlp.") + layer + ".bias");
    }
  }
  Named named;
  for (const auto& [name, value] : all) named[prefix + name] = value;
  return named;
}

Weights weights_from(const Named& named) {
  Weights weights;
  for (const auto& [name, value] : named) weights.set(name, weight_of(value));
  return weights;
}

/// As a file of that release would hold them.
Checkpoint checkpoint_from(const Named& named) {
  Checkpoint checkpoint;
  for (const auto& [name, value] : named) {
    const at::Tensor packed = value.contiguous();
    const auto* first = packed.const_data_ptr<float>();
    checkpoint.tensors[name] =
        stored_floats(packed.sizes().vec(), std::vector<float>(first, first + packed.numel()));
  }
  return checkpoint;
}

Weights weights_from(const Checkpoint& checkpoint) {
  Weights weights;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    const auto view = float_view(tensor, name);
    weights.set(name, {tensor.shape, view.data, view.owner});
  }
  return weights;
}

constexpr VitSpec kTiny{
    .width = 6, .depth = 2, .n_heads = 2, .patch_px = 4, .size_px = 8, .n_classes = 2};

void expect_published_outputs(const Weights& weights) {
  auto graph = describe_vit(kTiny, {.taps = {"pre_logits", "logits"}});
  const TorchEngine engine(std::move(graph), std::make_shared<Weights>(weights));
  const at::Tensor images = (at::arange(2 * 3 * 8 * 8, at::kDouble) * 0.05).sin();
  const at::Tensor inputs[] = {images.to(at::kFloat).view({2, 3, 8, 8})};
  const auto outputs = engine.run(inputs);
  const std::vector<double> embedding = {0.7274770226,  -0.2717817130, -2.0178234329, 0.8254450979,
                                         -0.5426231066, 0.8451439148,  0.6887759439,  -0.3995741170,
                                         -1.9288749348, 0.6855711584,  -0.5849952841, 1.1265106467};
  const std::vector<double> logits = {0.0157998744, -0.3920295998, 0.0916472144, -0.4552552631};
  for (std::size_t at = 0; at < embedding.size(); ++at) {
    EXPECT_NEAR(outputs[0].view({-1})[std::int64_t(at)].item<double>(), embedding[at], 1e-5) << at;
  }
  for (std::size_t at = 0; at < logits.size(); ++at) {
    EXPECT_NEAR(outputs[1].view({-1})[std::int64_t(at)].item<double>(), logits[at], 1e-5) << at;
  }
}

TEST(TV_12, EmbeddingsAndLogits) { expect_published_outputs(weights_from(timm_weights())); }

TEST(TV_12, FlaxNamesGiveTheSameNetwork) {
  for (const std::string prefix : {"", "opt/target/", "params/"}) {
    const auto ours = weights_from(translate_vit(kTiny, checkpoint_from(flax_weights(prefix))));
    expect_published_outputs(ours);
    for (const auto& [name, value] : timm_weights()) {
      EXPECT_TRUE(tensor_of(ours.at(name, value.sizes().vec())).equal(value)) << name;
    }
  }
}

TEST(TV_12, WeightsOfAnotherOriginStayAsTheyAre) {
  expect_published_outputs(weights_from(translate_vit(kTiny, checkpoint_from(timm_weights()))));
}

const std::vector<double> kLargerPositions = {-0.28121483, 0.32473505, 0.12092901, -0.08287688,
                                              0.00470912,  0.07497012, 0.14523110, -0.31531662,
                                              0.02901126,  0.37333903};

TEST(TV_12, PositionsOfALargerImageOnImport) {
  VitSpec larger = kTiny;
  larger.size_px = 12;
  const auto ours = weights_from(translate_vit(larger, checkpoint_from(timm_weights())));
  const at::Tensor table = tensor_of(ours.at("pos_embed", {1, 10, 6}));
  for (std::size_t at = 0; at < kLargerPositions.size(); ++at) {
    EXPECT_NEAR(table[0][std::int64_t(at)][0].item<double>(), kLargerPositions[at], 1e-6) << at;
  }
}

TEST(TV_12, PositionsOfALargerImage) {
  // Dimension 0 of the resized table, token by token, through a network that shows nothing else:
  // patches and class token are zero.
  auto named = timm_weights();
  named["patch_embed.proj.weight"].zero_();
  named["patch_embed.proj.bias"].zero_();
  named["cls_token"].zero_();
  for (const std::string block : {"0", "1"}) {
    for (const auto* layer : {"attn.proj", "mlp.fc2"}) {
      named["blocks." + block + "." + layer + ".weight"].zero_();
      named["blocks." + block + "." + layer + ".bias"].zero_();
    }
  }
  auto graph = describe_vit(kTiny, {.height_px = 12, .width_px = 12, .taps = {"tokens.1"}});
  const TorchEngine engine(std::move(graph), std::make_shared<Weights>(weights_from(named)));
  const at::Tensor inputs[] = {at::zeros({1, 3, 12, 12})};
  const auto tokens = engine.run(inputs)[0];
  for (std::size_t at = 0; at < kLargerPositions.size(); ++at) {
    EXPECT_NEAR(tokens[0][std::int64_t(at)][0].item<double>(), kLargerPositions[at], 1e-6) << at;
  }
}

}  // namespace
}  // namespace cadenza
