#include "cadenza/method/routed_memory/product.h"

#include <cmath>

#include <ATen/ATen.h>

#include "cadenza/base/error.h"

namespace cadenza::routed_memory {
namespace {

constexpr const char* kCalibrated = "calibrated";
constexpr const char* kUncalibrated = "uncalibrated";
constexpr std::int64_t kDigestBytes = 32;

std::string numbered(const char* name, std::size_t index) { return cat(name, '.', index + 1); }

at::Tensor floats(std::span<const float> values) {
  auto tensor = at::empty({std::ssize(values)}, at::kFloat);
  std::ranges::copy(values, tensor.mutable_data_ptr<float>());
  return tensor;
}

at::Tensor doubles(std::initializer_list<double> values) {
  auto tensor = at::empty({static_cast<std::int64_t>(values.size())}, at::kDouble);
  std::ranges::copy(values, tensor.mutable_data_ptr<double>());
  return tensor;
}

/// Two hexadecimal digits a byte.
at::Tensor digest_bytes(const std::vector<std::string>& images) {
  auto bytes = at::empty({std::ssize(images), kDigestBytes}, at::kByte);
  auto* next = bytes.mutable_data_ptr<std::uint8_t>();
  for (const auto& image : images) {
    CADENZA_REQUIRE(std::ssize(image) == 2 * kDigestBytes, ErrorCode::kInvalidArgument, "digest '",
                    image, "': expected 64 hexadecimal digits");
    for (std::size_t at = 0; at < image.size(); at += 2) {
      *next++ = static_cast<std::uint8_t>(std::stoul(image.substr(at, 2), nullptr, 16));
    }
  }
  return bytes;
}

std::vector<std::string> digest_texts(const at::Tensor& bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::vector<std::string> texts(static_cast<std::size_t>(bytes.size(0)));
  const auto* next = bytes.const_data_ptr<std::uint8_t>();
  for (auto& text : texts) {
    for (std::int64_t at = 0; at < kDigestBytes; ++at, ++next) {
      text += kDigits[*next >> 4];
      text += kDigits[*next & 15];
    }
  }
  return texts;
}

/// Reads what save_product() wrote, and believes nothing of it.
class Reader {
 public:
  explicit Reader(PieceReader& piece) : piece_(piece) {}

  at::Tensor tensor(const std::string& key, at::ScalarType type, at::IntArrayRef sizes) {
    const at::Tensor found = piece_.tensor(key);
    bool matches = found.scalar_type() == type && found.dim() == std::ssize(sizes);
    for (std::int64_t axis = 0; matches && axis < found.dim(); ++axis) {
      matches = sizes[static_cast<std::size_t>(axis)] < 0 ||
                sizes[static_cast<std::size_t>(axis)] == found.size(axis);
    }
    CADENZA_REQUIRE(matches, ErrorCode::kCorruptData, key, ": expected ", at::toString(type), ' ',
                    sizes, ", found ", at::toString(found.scalar_type()), ' ', found.sizes());
    CADENZA_REQUIRE(!found.is_floating_point() || found.isfinite().all().item<bool>(),
                    ErrorCode::kCorruptData, key, ": a value is not finite");
    return found.contiguous();
  }
  std::vector<double> doubles(const std::string& key, std::int64_t n) {
    const auto found = tensor(key, at::kDouble, {n});
    return {found.const_data_ptr<double>(), found.const_data_ptr<double>() + n};
  }
  std::vector<float> floats(const std::string& key) {
    const auto found = tensor(key, at::kFloat, {-1});
    return {found.const_data_ptr<float>(), found.const_data_ptr<float>() + found.numel()};
  }
  PieceReader& piece() { return piece_; }

 private:
  PieceReader& piece_;
};

}  // namespace

StatePiece save_product(const Product& product) {
  StatePiece piece;
  for (std::size_t layer = 0; layer < product.layers.size(); ++layer) {
    const auto& memory = product.layers[layer];
    save_bank(memory.bank, numbered("bank", layer), piece);
    piece.tensors[numbered("norm", layer)] = doubles({memory.mean, memory.deviation});
  }
  for (std::size_t index = 0; index < product.map_views.size(); ++index) {
    const auto& view = product.map_views[index];
    const auto key = numbered("view", index);
    piece.tensors[key + ".cells"] = at::full({1}, view.n_cells, at::kLong);
    piece.tensors[key + ".mean"] = view.mean;
    piece.tensors[key + ".covariance"] = view.covariance;
    piece.tensors[key + ".range"] = doubles({view.centre, view.spread});
  }
  piece.tensors["map_range"] =
      doubles({product.gaussian_range.median, product.gaussian_range.high,
               product.residual_range.median, product.residual_range.high});
  if (product.map_threshold) piece.tensors["map_threshold"] = doubles({*product.map_threshold});
  piece.tensors["scores"] = floats(product.scores);
  piece.tensors["distances"] = floats(product.distances);
  piece.tensors["typical_distance"] = doubles({product.typical_distance});
  piece.tensors["images"] = digest_bytes(product.images);
  piece.texts["journal"] = product.journal;
  piece.texts["status"] = product.is_calibrated ? kCalibrated : kUncalibrated;
  return piece;
}

Product load_product(PieceReader& piece, const Views& views, BankCode code) {
  Reader reader(piece);
  Product product;
  for (std::size_t layer = 0; layer < views.layers.size(); ++layer) {
    LayerMemory memory;
    memory.bank = load_bank(piece, numbered("bank", layer), code, views.layers[layer].channels);
    CADENZA_REQUIRE(memory.bank.size() > 0, ErrorCode::kCorruptData, numbered("bank", layer),
                    ": expected at least one entry, found none");
    const auto norm = reader.doubles(numbered("norm", layer), 2);
    CADENZA_REQUIRE(norm[1] > 0, ErrorCode::kCorruptData, numbered("norm", layer),
                    ": expected a positive deviation, found ", norm[1]);
    memory.mean = norm[0];
    memory.deviation = norm[1];
    memory.packed = PackedBank(memory.bank.rows());
    product.layers.push_back(std::move(memory));
  }
  for (std::size_t index = 0; index < views.map_layers.size(); ++index) {
    const auto key = numbered("view", index);
    const auto dim = views.map_layers[index].channels;
    MapView view;
    view.n_cells = reader.tensor(key + ".cells", at::kLong, {1}).item<std::int64_t>();
    view.mean = reader.tensor(key + ".mean", at::kFloat, {dim});
    view.covariance = reader.tensor(key + ".covariance", at::kFloat, {dim * (dim + 1) / 2});
    const auto range = reader.doubles(key + ".range", 2);
    CADENZA_REQUIRE(range[1] > 0, ErrorCode::kCorruptData, key,
                    ".range: expected a positive spread, found ", range[1]);
    view.centre = range[0];
    view.spread = range[1];
    derive_whitening(view);
    product.map_views.push_back(std::move(view));
  }
  const auto ranges = reader.doubles("map_range", 4);
  product.gaussian_range = {ranges[0], ranges[1]};
  product.residual_range = {ranges[2], ranges[3]};
  if (piece.has_tensor("map_threshold")) {
    product.map_threshold = reader.doubles("map_threshold", 1)[0];
  }
  product.scores = reader.floats("scores");
  product.distances = reader.floats("distances");
  CADENZA_REQUIRE(product.scores.size() == product.distances.size(), ErrorCode::kCorruptData,
                  "scores and distances: expected one of each an image, found ",
                  product.scores.size(), " and ", product.distances.size());
  product.typical_distance = reader.doubles("typical_distance", 1)[0];
  CADENZA_REQUIRE(product.typical_distance > 0, ErrorCode::kCorruptData,
                  "typical_distance: expected a positive number, found ", product.typical_distance);
  product.images = digest_texts(reader.tensor("images", at::kByte, {-1, kDigestBytes}));
  product.journal = piece.text("journal");
  const auto& status = piece.text("status");
  CADENZA_REQUIRE(status == kCalibrated || status == kUncalibrated, ErrorCode::kCorruptData,
                  "status: expected '", kCalibrated, "' or '", kUncalibrated, "', found '", status,
                  "'");
  product.is_calibrated = status == kCalibrated;
  return product;
}

}  // namespace cadenza::routed_memory
