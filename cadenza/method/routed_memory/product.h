#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ATen/core/Tensor.h>

#include "cadenza/memory/bank.h"
#include "cadenza/memory/nearest.h"
#include "cadenza/method/routed_memory/features.h"
#include "cadenza/method/routed_memory/map_view.h"
#include "cadenza/tensor/state.h"

namespace cadenza::routed_memory {

/// A bank and how far left-out normals are from it.
struct LayerMemory {
  Bank bank;
  double mean = 0, deviation = 1;  ///< a_l, b_l
  PackedBank packed;               ///< derived: bank.rows()
};

/// Where the median and the 99 % quantile of a map's cells lie on learned normals.
struct MapRange {
  double median = 0, high = 1;
};

/// All that is kept of one product; nothing in it depends on other products or on time.
struct Product {
  std::vector<LayerMemory> layers;
  std::vector<MapView> map_views;
  MapRange gaussian_range;       ///< of H
  MapRange residual_range;       ///< of D
  std::vector<float> scores;     ///< S, in training order; empty when nothing could be left out
  std::vector<float> distances;  ///< g, of the same images: mean distance in the routing layer
  double typical_distance = 0;   ///< g_med
  std::optional<double> map_threshold;
  bool is_calibrated = false;       ///< a_l, b_l and g_med are its own
  std::vector<std::string> images;  ///< SHA-256 of the files learned, hexadecimal
  std::string journal;              ///< JSON: the operations that made it, with their inputs
};

/// The parts of a task's piece: bank.L.*, norm, view.T.*, map_range, scores, distances, typical,
/// images, and the texts journal and status.
StatePiece save_product(const Product& product);

/// Errors   kCorruptData naming the key.
Product load_product(PieceReader& reader, const Views& views, BankCode code);

}  // namespace cadenza::routed_memory
