#include "cadenza/network/vit/import.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "cadenza/base/error.h"
#include "cadenza/checkpoint/layout.h"
#include "cadenza/checkpoint/rename.h"

namespace cadenza {

namespace {

/// How an array of a Flax module lies beside its counterpart of torch. C is the width, h and d the
/// heads and the width of one.
enum class Layout {
  kSame,
  kConvKernel,  ///< [k,k,in,out] -> [out,in,k,k]
  kMatrix,      ///< [in,out] -> [out,in]
  kIntoHeads,   ///< [C,h,d] -> [h*d,C]
  kOutOfHeads,  ///< [h,d,C] -> [C,h*d]
  kHeadBias,    ///< [h,d] -> [h*d]
};

struct ArrayRule {
  RenameRule names;
  Layout layout = Layout::kSame;
};

const std::vector<ArrayRule>& array_rules() {
  static const std::vector<ArrayRule> kRules = [] {
    const std::string block = "Transformer/encoderblock_*/", ours = "blocks.$1.";
    std::vector<ArrayRule> rules{
        {{"embedding/kernel", "patch_embed.proj.weight"}, Layout::kConvKernel},
        {{"embedding/bias", "patch_embed.proj.bias"}},
        {{"cls", "cls_token"}},
        {{"Transformer/posembed_input/pos_embedding", "pos_embed"}},
        {{"Transformer/encoder_norm/scale", "norm.weight"}},
        {{"Transformer/encoder_norm/bias", "norm.bias"}},
        {{"head/kernel", "head.weight"}, Layout::kMatrix},
        {{"head/bias", "head.bias"}},
        {{block + "MlpBlock_3/Dense_0/kernel", ours + "mlp.fc1.weight"}, Layout::kMatrix},
        {{block + "MlpBlock_3/Dense_0/bias", ours + "mlp.fc1.bias"}},
        {{block + "MlpBlock_3/Dense_1/kernel", ours + "mlp.fc2.weight"}, Layout::kMatrix},
        {{block + "MlpBlock_3/Dense_1/bias", ours + "mlp.fc2.bias"}}};
    for (const auto& [theirs, norm] :
         {std::pair("LayerNorm_0", "norm1"), {"LayerNorm_2", "norm2"}}) {
      rules.push_back({{block + theirs + "/scale", ours + norm + ".weight"}});
      rules.push_back({{block + theirs + "/bias", ours + norm + ".bias"}});
    }
    const std::string attention = block + "MultiHeadDotProductAttention_1/";
    for (const auto* part : {"query", "key", "value"}) {
      rules.push_back(
          {{attention + part + "/kernel", ours + "attn." + part + ".weight"}, Layout::kIntoHeads});
      rules.push_back(
          {{attention + part + "/bias", ours + "attn." + part + ".bias"}, Layout::kHeadBias});
    }
    rules.push_back({{attention + "out/kernel", ours + "attn.proj.weight"}, Layout::kOutOfHeads});
    rules.push_back({{attention + "out/bias", ours + "attn.proj.bias"}});
    return rules;
  }();
  return kRules;
}

std::size_t rank_of(Layout layout) {
  if (layout == Layout::kConvKernel) return 4;
  if (layout == Layout::kIntoHeads || layout == Layout::kOutOfHeads) return 3;
  return 2;
}

StoredTensor laid_out(const StoredTensor& array, Layout layout) {
  CADENZA_REQUIRE(layout == Layout::kSame || array.shape.size() == rank_of(layout),
                  ErrorCode::kInvalidArgument, "expected ", rank_of(layout), " axes, found ",
                  shape_text(array.shape));
  const auto size = [&](std::size_t axis) { return array.shape[axis]; };
  switch (layout) {
    case Layout::kSame:
      return array;
    case Layout::kConvKernel:
      return permute(array, std::array{3, 2, 0, 1});
    case Layout::kMatrix:
      return permute(array, std::array{1, 0});
    case Layout::kIntoHeads:
      return reshape(permute(array, std::array{1, 2, 0}), {size(1) * size(2), size(0)});
    case Layout::kOutOfHeads:
      return reshape(permute(array, std::array{2, 0, 1}), {size(2), size(0) * size(1)});
    case Layout::kHeadBias:
      return reshape(array, {size(0) * size(1)});
  }
  throw Error(ErrorCode::kInternal, "layout");
}

/// Empty, "opt/target/" or "params/"; none if this is no such checkpoint.
std::optional<std::string> flax_prefix(const Checkpoint& published) {
  for (const std::string prefix : {"", "opt/target/", "params/"}) {
    if (published.tensors.contains(prefix + "embedding/kernel")) return prefix;
  }
  return std::nullopt;
}

/// query, key and value stand apart there and are one matrix here.
void join_attention(Checkpoint& checkpoint) {
  constexpr std::string_view kQuery = "attn.query.";
  std::vector<std::string> queries;
  for (const auto& [name, tensor] : checkpoint.tensors) {
    if (name.find(kQuery) != name.npos) queries.push_back(name);
  }
  for (const auto& query : queries) {
    const auto place = query.find(kQuery);
    const auto named = [&](const char* part) {
      return query.substr(0, place) + "attn." + part + query.substr(place + kQuery.size() - 1);
    };
    const auto key = checkpoint.tensors.find(named("key"));
    const auto value = checkpoint.tensors.find(named("value"));
    if (key == checkpoint.tensors.end() || value == checkpoint.tensors.end()) continue;
    const StoredTensor parts[] = {checkpoint.tensors.at(query), key->second, value->second};
    checkpoint.tensors[named("qkv")] = concat(parts);
    for (const auto* part : {"query", "key", "value"}) checkpoint.tensors.erase(named(part));
  }
}

Checkpoint from_flax(const Checkpoint& published, const std::string& prefix) {
  Checkpoint ours{.tensors = {}, .texts = published.texts};
  for (const auto& [key, array] : published.tensors) {
    if (!key.starts_with(prefix)) continue;  // the optimiser's state
    std::string name = key.substr(prefix.size());
    StoredTensor tensor = array;
    for (const auto& rule : array_rules()) {
      const auto renamed = rename_key(name, {&rule.names, 1});
      if (!renamed) continue;
      try {
        tensor = laid_out(array, rule.layout);
      } catch (const Error& error) {
        throw error.with_context(key);
      }
      name = *renamed;
      break;
    }
    ours.tensors.emplace(name, std::move(tensor));
  }
  join_attention(ours);
  return ours;
}

/// Weights of the four samples around `place` (Keys, 1981, a = -0.75), edge samples repeated.
struct CubicTaps {
  std::array<std::int64_t, 4> index;
  std::array<double, 4> weight;
};

CubicTaps cubic_taps(std::int64_t out, std::int64_t n_out, std::int64_t n_in) {
  constexpr double a = -0.75;
  const double place =
      (static_cast<double>(out) + 0.5) * static_cast<double>(n_in) / static_cast<double>(n_out) -
      0.5;
  const double first = std::floor(place), t = place - first;
  const auto near = [](double x) { return ((a + 2) * x - (a + 3)) * x * x + 1; };
  const auto far = [](double x) { return ((a * x - 5 * a) * x + 8 * a) * x - 4 * a; };
  CubicTaps taps{{}, {far(1 + t), near(t), near(1 - t), far(2 - t)}};
  for (std::int64_t tap = 0; tap < 4; ++tap) {
    const auto index = static_cast<std::int64_t>(first) - 1 + tap;
    taps.index[static_cast<std::size_t>(tap)] = std::clamp<std::int64_t>(index, 0, n_in - 1);
  }
  return taps;
}

/// [1,1+n*n,C] to [1,1+m*m,C]. Anything that is no class token and a square stays as it is.
StoredTensor resize_positions(const StoredTensor& positions, std::int64_t n_out) {
  if (positions.shape.size() != 3 || positions.shape[0] != 1) return positions;
  const auto channels = positions.shape[2];
  const auto n_in = static_cast<std::int64_t>(std::llround(
      std::sqrt(static_cast<double>(std::max<std::int64_t>(positions.shape[1], 1) - 1))));
  if (n_in < 1 || n_in * n_in + 1 != positions.shape[1] || n_in == n_out) return positions;
  const auto source = float_view(positions, "pos_embed");
  std::vector<float> resized(source.data.begin(), source.data.begin() + channels);
  for (std::int64_t row = 0; row < n_out; ++row) {
    const auto rows = cubic_taps(row, n_out, n_in);
    for (std::int64_t column = 0; column < n_out; ++column) {
      const auto columns = cubic_taps(column, n_out, n_in);
      for (std::int64_t channel = 0; channel < channels; ++channel) {
        double sum = 0;
        for (std::size_t down = 0; down < 4; ++down) {
          for (std::size_t across = 0; across < 4; ++across) {
            const auto cell = 1 + rows.index[down] * n_in + columns.index[across];
            sum += rows.weight[down] * columns.weight[across] *
                   source.data[static_cast<std::size_t>(cell * channels + channel)];
          }
        }
        resized.push_back(static_cast<float>(sum));
      }
    }
  }
  return stored_floats({1, 1 + n_out * n_out, channels}, std::move(resized));
}

}  // namespace

Checkpoint translate_vit(const VitSpec& spec, const Checkpoint& published) {
  const auto prefix = flax_prefix(published);
  Checkpoint ours = prefix ? from_flax(published, *prefix) : published;
  const auto positions = ours.tensors.find("pos_embed");
  if (positions != ours.tensors.end() && is_floating(positions->second.dtype)) {
    positions->second = resize_positions(positions->second, spec.size_px / spec.patch_px);
  }
  return ours;
}

}  // namespace cadenza
