#include "cadenza/checkpoint/safetensors.h"
#include "cadenza/network/weights.h"

namespace cadenza {

Weights read_weights(const std::filesystem::path& path) {
  Weights weights;
  for (const auto& [name, tensor] : read_safetensors(path).tensors) {
    if (!is_floating(tensor.dtype)) continue;
    auto view = float_view(tensor, name);
    weights.set(name, {tensor.shape, view.data, std::move(view.owner)});
  }
  return weights;
}

}  // namespace cadenza
