#include <memory>
#include <string>
#include <vector>

#include "tests/support/error_of.h"
#include "tests/support/key_table.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/digest.h"
#include "cadenza/network/import_weights.h"

namespace cadenza {
namespace {

using testing::HasSubstr;

/// Sizes of a published ViT of 224 pixels, and what timm 1.0.31 says of its state_dict: the SHA-256
/// of the lines "NAME SIZExSIZE\n", sorted.
struct Published {
  std::string network;
  std::int64_t width, n_heads, patch_px;
  std::int64_t n_numbers;
  std::string sha256;
};
const std::vector<Published> kPublished = {
    {"vit_tiny_patch16", 192, 3, 16, 5717416,
     "66f0d300e340e1b8fda3a26e872ec3be7600985a8fe54a4eac2b92cd3738c68d"},
    {"vit_small_patch16", 384, 6, 16, 22050664,
     "d7d9db6611295a2d5b0b3606f6d9f7de89bc76eb123ebff6a9b5dc11167c01fd"},
    {"vit_base_patch16", 768, 12, 16, 86567656,
     "8951e80ba920ca10dbe37cc550107049bdb15263172d179f04a76a378ce06c9a"},
    {"vit_base_patch8", 768, 12, 8, 86576872,
     "7d9a20b592f86d6b1637b104605e625ab9ea855cf18d8f900adba2cd34180030"}};

/// A Flax checkpoint as Google's .npz files name and lay it (ucad specification 1.3), numbers made
/// by `number` from the key and the place.
class Flax {
 public:
  using Number = float (*)(std::size_t place);

  Flax(std::int64_t width, int depth, std::int64_t n_heads, std::int64_t patch_px,
       std::int64_t n_classes, Number number)
      : number_(number) {
    const auto side = width / n_heads, n_cells = 224 / patch_px * (224 / patch_px);
    put("embedding/kernel", {patch_px, patch_px, 3, width});
    put("embedding/bias", {width});
    put("cls", {1, 1, width});
    put("Transformer/posembed_input/pos_embedding", {1, 1 + n_cells, width});
    for (int block = 0; block < depth; ++block) {
      const auto name = "Transformer/encoderblock_" + std::to_string(block) + '/';
      const auto attention = name + "MultiHeadDotProductAttention_1/";
      for (const auto* norm : {"LayerNorm_0", "LayerNorm_2"}) put_norm(name + norm, width);
      for (const auto* part : {"query", "key", "value"}) {
        put(attention + part + "/kernel", {width, n_heads, side});
        put(attention + part + "/bias", {n_heads, side});
      }
      put(attention + "out/kernel", {n_heads, side, width});
      put(attention + "out/bias", {width});
      put(name + "MlpBlock_3/Dense_0/kernel", {width, 4 * width});
      put(name + "MlpBlock_3/Dense_0/bias", {4 * width});
      put(name + "MlpBlock_3/Dense_1/kernel", {4 * width, width});
      put(name + "MlpBlock_3/Dense_1/bias", {width});
    }
    put_norm("Transformer/encoder_norm", width);
    put("pre_logits/kernel", {width, width});  // only in the files of ImageNet-21k
    put("pre_logits/bias", {width});
    put("head/kernel", {width, n_classes});
    put("head/bias", {n_classes});
  }

  Checkpoint checkpoint;

 private:
  void put(const std::string& name, TensorShape shape) {
    std::vector<float> values(packed_bytes(shape, DType::kF32, name) / sizeof(float));
    for (std::size_t place = 0; place < values.size(); ++place) values[place] = number_(place);
    checkpoint.tensors[name] = stored_floats(std::move(shape), std::move(values));
  }
  void put_norm(const std::string& name, std::int64_t width) {
    put(name + "/scale", {width});
    put(name + "/bias", {width});
  }

  Number number_;
};

ImportedWeights import_of(const std::string& network, const Checkpoint& file) {
  return import_weights(builtin_networks().find(network), file);
}

TEST(VitImport, KeysAndShapesOfGooglesFilesBecomeThoseOfTimms) {
  for (const auto& sizes : kPublished) {
    SCOPED_TRACE(sizes.network);
    const Flax file(sizes.width, 12, sizes.n_heads, sizes.patch_px, 1000, [](auto) { return 0.F; });
    const auto found = import_of(sizes.network, file.checkpoint);
    EXPECT_TRUE(found.has_classifier);
    EXPECT_EQ(found.unused.size(), 2U);  // pre_logits
    const auto table = key_table(found.weights);
    EXPECT_EQ(found.weights.tensors.size(), 152U);
    EXPECT_EQ(table.n_numbers, sizes.n_numbers);
    EXPECT_EQ(sha256_hex(table.lines), sizes.sha256) << table.lines;

    // timm's own file is taken as it is.
    const auto again = import_of(sizes.network, found.weights);
    EXPECT_EQ(key_table(again.weights).lines, table.lines);
  }
}

TEST(VitImport, TheClassifierOfImageNet21kIsLeftOut) {
  const Flax file(192, 12, 3, 16, 21843, [](auto) { return 0.F; });
  const auto found = import_of("vit_tiny_patch16", file.checkpoint);
  EXPECT_FALSE(found.has_classifier);
  EXPECT_EQ(found.weights.tensors.size(), 150U);
}

/// Numbers of a stored tensor by place.
class Numbers {
 public:
  Numbers(const Checkpoint& from, const std::string& name)
      : tensor_(from.tensors.at(name)), view_(float_view(tensor_, name)) {}
  float operator()(std::vector<std::int64_t> place) const {
    std::int64_t flat = 0;
    for (std::size_t axis = 0; axis < place.size(); ++axis) {
      flat = flat * tensor_.shape[axis] + place[axis];
    }
    return view_.data[static_cast<std::size_t>(flat)];
  }

 private:
  StoredTensor tensor_;
  FloatView view_;
};

TEST(VitImport, EveryNumberGoesWhereTheProductsWantIt) {
  constexpr std::int64_t kWidth = 192, kHeads = 3, kSide = kWidth / kHeads;
  const Flax file(kWidth, 12, kHeads, 16, 1000,
                  [](std::size_t place) { return static_cast<float>(place % 100003); });
  const auto& theirs = file.checkpoint;
  const auto found = import_of("vit_tiny_patch16", theirs);
  const auto& ours = found.weights;

  const Numbers kernel(theirs, "embedding/kernel"), patch(ours, "patch_embed.proj.weight");
  const std::string flax = "Transformer/encoderblock_7/", timm = "blocks.7.";
  const Numbers qkv(ours, timm + "attn.qkv.weight"), qkv_bias(ours, timm + "attn.qkv.bias");
  const Numbers out(theirs, flax + "MultiHeadDotProductAttention_1/out/kernel");
  const Numbers proj(ours, timm + "attn.proj.weight");
  const Numbers wide(theirs, flax + "MlpBlock_3/Dense_0/kernel"),
      fc1(ours, timm + "mlp.fc1.weight");
  for (std::int64_t c = 0; c < kWidth; c += 7) {
    EXPECT_EQ(patch({c, 2, 5, 11}), kernel({5, 11, 2, c}));
    EXPECT_EQ(fc1({3 * c, c}), wide({c, 3 * c}));
    for (std::int64_t head = 0; head < kHeads; ++head) {
      for (std::int64_t d = 0; d < kSide; d += 5) {
        // out[o] = sum over heads and d of mixed[head][d] * kernel[head][d][o]
        EXPECT_EQ(proj({c, head * kSide + d}), out({head, d, c}));
        for (std::int64_t part = 0; part < 3; ++part) {
          const std::string name =
              flax + "MultiHeadDotProductAttention_1/" +
              std::vector<std::string>{"query", "key", "value"}[static_cast<std::size_t>(part)];
          const auto row = part * kWidth + head * kSide + d;
          // q[head][d] = sum over c of x[c] * kernel[c][head][d] + bias[head][d]
          ASSERT_EQ(qkv({row, c}), Numbers(theirs, name + "/kernel")({c, head, d})) << name;
          ASSERT_EQ(qkv_bias({row}), Numbers(theirs, name + "/bias")({head, d})) << name;
        }
      }
    }
  }
}

TEST(VitImport, WhatIsMissingAndWhatIsUnknownIsNamed) {
  Flax file(192, 12, 3, 16, 1000, [](auto) { return 0.F; });
  auto& tensors = file.checkpoint.tensors;
  tensors["Transformer/encoderblock_3/gate"] = tensors.at("embedding/bias");
  tensors.erase("Transformer/encoderblock_3/LayerNorm_2/scale");
  const auto error = error_of([&] { import_of("vit_tiny_patch16", file.checkpoint); });
  EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
  EXPECT_THAT(error.what(), HasSubstr("missing (1): blocks.3.norm2.weight"));
  EXPECT_THAT(error.what(), HasSubstr("unknown (1): Transformer/encoderblock_3/gate"));
}

}  // namespace
}  // namespace cadenza
