#include "cadenza/network/convnext/import.h"

#include <vector>

#include "cadenza/checkpoint/rename.h"

namespace cadenza {

Checkpoint translate_convnext(const Checkpoint& published) {
  static const std::vector<RenameRule> kMeta{
      {"downsample_layers.0.0.**", "stem.0.$1"},
      {"downsample_layers.0.1.**", "stem.1.$1"},
      {"downsample_layers.*.0.**", "stages.$1.downsample.0.$2"},
      {"downsample_layers.*.1.**", "stages.$1.downsample.1.$2"},
      {"stages.*.*.dwconv.**", "stages.$1.blocks.$2.conv_dw.$3"},
      {"stages.*.*.norm.**", "stages.$1.blocks.$2.norm.$3"},
      {"stages.*.*.pwconv1.**", "stages.$1.blocks.$2.mlp.fc1.$3"},
      {"stages.*.*.pwconv2.**", "stages.$1.blocks.$2.mlp.fc2.$3"},
      {"stages.*.*.gamma", "stages.$1.blocks.$2.gamma"},
      {"norm.**", "head.norm.$1"},
      {"head.weight", "head.fc.weight"},
      {"head.bias", "head.fc.bias"}};
  const bool is_meta = published.tensors.contains("downsample_layers.0.0.weight");
  return is_meta ? rename_keys(published, kMeta) : published;
}

}  // namespace cadenza
