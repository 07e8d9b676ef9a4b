#include <array>
#include <cstddef>
#include <map>
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

/// Sizes of a published ConvNeXt, and what timm 1.0.31 says of its state_dict: the SHA-256 of the
/// lines "NAME SIZExSIZE\n", sorted. Its reader of Meta's files makes the same table of the names
/// below.
struct Published {
  std::string network;
  std::array<int, 4> depths;
  std::array<std::int64_t, 4> widths;
  std::size_t n_tensors;
  std::int64_t n_numbers;
  std::string sha256;
};
const std::vector<Published> kPublished = {
    {"convnext_tiny",
     {3, 3, 9, 3},
     {96, 192, 384, 768},
     182,
     28589128,
     "5450e348a286ad692433fe65bdb8f79c2de4f7502a2369b1171d157613765b50"},
    {"convnext_small",
     {3, 3, 27, 3},
     {96, 192, 384, 768},
     344,
     50223688,
     "d30cae8823398c1bb138d1e5ffec2e6d97e8a1d16ae558ea400c75994fdc1742"},
    {"convnext_base",
     {3, 3, 27, 3},
     {128, 256, 512, 1024},
     344,
     88591464,
     "55a5fc25c5184e9f9ef419af03851b0f4c8042cff4a360b306510f22b96958ab"},
    {"convnext_large",
     {3, 3, 27, 3},
     {192, 384, 768, 1536},
     344,
     197767336,
     "496c47c3a2030889781cd79fa6e1b8ce617bfc2f4e7f527361924da005345373"}};
const Published& base() { return kPublished[2]; }

/// How one file spells the parts of a network.
struct Spelling {
  std::string stem_conv, stem_norm;
  std::string down_folder;  ///< .K.0 norm, .K.1 convolution
  std::string down_name;
  std::string blocks;  ///< between stage and block
  std::string depthwise, wide, narrow, last_norm, classifier;
};
const Spelling kTimm = {"stem.0",  "stem.1",  "stages.", ".downsample", ".blocks.",
                        "conv_dw", "mlp.fc1", "mlp.fc2", "head.norm",   "head.fc"};
const Spelling kMeta = {"downsample_layers.0.0",
                        "downsample_layers.0.1",
                        "downsample_layers.",
                        "",
                        ".",
                        "dwconv",
                        "pwconv1",
                        "pwconv2",
                        "norm",
                        "head"};

/// A checkpoint of zeros whose tensors tell themselves apart by where they begin in memory: the
/// n-th begins at the n-th float, in the order of the network.
class File {
 public:
  File(const Published& sizes, const Spelling& words, std::int64_t n_classes = 1000) {
    const auto& widths = sizes.widths;
    layer(words.stem_conv, {widths[0], 3, 4, 4});
    layer(words.stem_norm, {widths[0]});
    for (int stage = 0; stage < 4; ++stage) {
      const auto place = static_cast<std::size_t>(stage);
      const auto width = widths[place];
      const auto name = std::to_string(stage);
      if (stage > 0) {
        const auto down = words.down_folder + name + words.down_name;
        layer(down + ".0", {widths[place - 1]});
        layer(down + ".1", {width, widths[place - 1], 2, 2});
      }
      for (int block = 0; block < sizes.depths[place]; ++block) {
        const auto prefix = "stages." + name + words.blocks + std::to_string(block) + '.';
        put(prefix + "gamma", {width});
        layer(prefix + words.depthwise, {width, 1, 7, 7});
        layer(prefix + "norm", {width});
        layer(prefix + words.wide, {4 * width, width});
        layer(prefix + words.narrow, {width, 4 * width});
      }
    }
    layer(words.last_norm, {widths[3]});
    layer(words.classifier, {n_classes, widths[3]});
    fill();
  }

  Checkpoint checkpoint;
  std::vector<std::string> names;  ///< in the order of the network

 private:
  void put(const std::string& name, TensorShape shape) {
    checkpoint.tensors[name].shape = std::move(shape);
    names.push_back(name);
  }
  void layer(const std::string& name, const TensorShape& shape) {
    put(name + ".weight", shape);
    put(name + ".bias", {shape[0]});
  }
  void fill() {
    std::uint64_t largest = 0;
    for (const auto& [name, tensor] : checkpoint.tensors) {
      largest = std::max(largest, packed_bytes(tensor.shape, DType::kF32, name));
    }
    const auto memory = std::make_shared<std::vector<float>>(largest / 4 + names.size());
    for (std::size_t index = 0; index < names.size(); ++index) {
      auto& tensor = checkpoint.tensors[names[index]];
      tensor.bytes = std::as_bytes(std::span(*memory))
                         .subspan(4 * index, packed_bytes(tensor.shape, DType::kF32, names[index]));
      tensor.owner = memory;
    }
  }
};

ImportedWeights import_of(const Published& sizes, const Checkpoint& file) {
  return import_weights(builtin_networks().find(sizes.network), file);
}

TEST(ConvnextImport, KeysAndShapesAreThoseOfTimmsAndMetasFiles) {
  for (const auto& sizes : kPublished) {
    for (const auto& words : {kTimm, kMeta}) {
      SCOPED_TRACE(sizes.network + ' ' + words.depthwise);
      const File file(sizes, words);
      const auto found = import_of(sizes, file.checkpoint);
      EXPECT_TRUE(found.has_classifier);
      EXPECT_TRUE(found.unused.empty());
      const auto table = key_table(found.weights);
      EXPECT_EQ(found.weights.tensors.size(), sizes.n_tensors);
      EXPECT_EQ(table.n_numbers, sizes.n_numbers);
      EXPECT_EQ(sha256_hex(table.lines), sizes.sha256) << table.lines;
    }
  }
}

TEST(ConvnextImport, EveryTensorOfMetasFileGoesToItsPlace) {
  const File meta(base(), kMeta), timm(base(), kTimm);
  const auto found = import_of(base(), meta.checkpoint);
  ASSERT_EQ(meta.names.size(), timm.names.size());
  for (std::size_t index = 0; index < meta.names.size(); ++index) {
    EXPECT_EQ(found.weights.tensors.at(timm.names[index]).bytes.data(),
              meta.checkpoint.tensors.at(meta.names[index]).bytes.data())
        << meta.names[index];
  }
}

TEST(ConvnextImport, AClassifierOfImageNet22kIsLeftOut) {
  for (const auto& words : {kTimm, kMeta}) {
    const File file(base(), words, /*n_classes=*/21841);
    const auto found = import_of(base(), file.checkpoint);
    EXPECT_FALSE(found.has_classifier);
    EXPECT_EQ(found.weights.tensors.size(), base().n_tensors - 2);
    EXPECT_EQ(found.unused, (std::vector<std::string>{"head.fc.bias", "head.fc.weight"}));
  }
}

TEST(ConvnextImport, AnotherSizeAMissingAndAnUnknownKeyAreNamed) {
  const auto message = [](const Published& sizes, const Checkpoint& file) {
    const auto error = error_of([&] { import_of(sizes, file); });
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument);
    return std::string(error.what());
  };
  const File small(kPublished[1], kMeta);
  EXPECT_THAT(message(base(), small.checkpoint),
              HasSubstr("stages.0.blocks.0.conv_dw.weight expected [128,1,7,7] found [96,1,7,7]"));
  File broken(base(), kMeta);
  broken.checkpoint.tensors.erase("stages.2.26.gamma");
  broken.checkpoint.tensors["stages.2.26.grn"] = broken.checkpoint.tensors["norm.bias"];
  EXPECT_THAT(message(base(), broken.checkpoint), HasSubstr("stages.2.blocks.26.gamma"));
  EXPECT_THAT(message(base(), broken.checkpoint), HasSubstr("unknown (1): stages.2.26.grn"));
}

}  // namespace
}  // namespace cadenza
