#include "cadenza/network/weights.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <set>

#include "cadenza/base/bytes.h"
#include "cadenza/base/digest.h"
#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/json.h"
#include "cadenza/base/rng.h"
#include "cadenza/base/suggest.h"

namespace cadenza {

namespace {

std::size_t n_elements(const Shape& shape) {
  std::size_t product = 1;
  for (const auto size : shape) product *= static_cast<std::size_t>(size);
  return product;
}

}  // namespace

void Weights::set(std::string name, WeightView view) {
  CADENZA_REQUIRE(n_elements(view.shape) == view.data.size(), ErrorCode::kInvalidArgument,
                  "weight '", name, "': ", view.data.size(), " numbers for shape ",
                  to_string(view.shape));
  views_.insert_or_assign(std::move(name), std::move(view));
}

const WeightView& Weights::at(const std::string& name, const Shape& wanted) const {
  const auto found = views_.find(name);
  if (found == views_.end()) {
    std::vector<std::string> known;
    for (const auto& [other, view] : views_) known.push_back(other);
    const auto nearest = nearest_name(name, known);
    throw Error(ErrorCode::kNotFound,
                cat("no weight '", name, "' among ", known.size(),
                    nearest.empty() ? std::string() : cat("; nearest: '", nearest, "'")));
  }
  CADENZA_REQUIRE(found->second.shape == wanted, ErrorCode::kInvalidArgument, "weight '", name,
                  "': expected ", to_string(wanted), ", found ", to_string(found->second.shape));
  return found->second;
}

void Weights::require(const Graph& graph) const {
  constexpr std::size_t kMaxListed = 12;
  std::vector<std::string> problems;
  ErrorCode code = ErrorCode::kNotFound;
  std::set<std::string> seen;
  for (const auto& node : graph.nodes()) {
    const auto* weight = std::get_if<op::Weight>(&node.op);
    if (weight == nullptr || !seen.insert(weight->name).second) continue;
    try {
      at(weight->name, node.shape);
    } catch (const Error& error) {
      if (error.code() != ErrorCode::kNotFound) code = error.code();
      problems.push_back(error.what());
    }
  }
  if (problems.empty()) return;
  const auto n_problems = problems.size();
  problems.resize(std::min(n_problems, kMaxListed));
  throw Error(code, cat(join(problems, "; "), n_problems > kMaxListed ? "; ..." : ""));
}

std::string Weights::digest(const Graph& graph) const {
  std::map<std::string, Shape> used;
  for (const auto& node : graph.nodes()) {
    if (const auto* weight = std::get_if<op::Weight>(&node.op)) used[weight->name] = node.shape;
  }
  Sha256 hash;
  for (const auto& [name, shape] : used) {
    hash.add(cat(name, ' ', to_string(shape), '\n'));
    hash.add(std::as_bytes(at(name, shape).data));
  }
  return hash.hex();
}

Weights random_weights(const Graph& graph, std::uint64_t seed) {
  Weights weights;
  for (const auto& node : graph.nodes()) {
    const auto* weight = std::get_if<op::Weight>(&node.op);
    if (weight == nullptr || weights.contains(weight->name)) continue;
    auto buffer = std::make_shared<std::vector<float>>(n_elements(node.shape));
    const bool is_vector = node.shape.size() < 2 || node.shape[0] == 1;
    const double fan_in = static_cast<double>(buffer->size()) /
                          static_cast<double>(std::max<std::int64_t>(node.shape[0], 1));
    const double deviation = is_vector ? 0.1 : std::sqrt(1 / fan_in);
    Rng rng(seed, weight->name);
    for (auto& value : *buffer) {
      switch (weight->init) {
        case WeightInit::kNormal:
          value = static_cast<float>(deviation * rng.normal());
          break;
        case WeightInit::kZero:
          value = 0;
          break;
        case WeightInit::kOne:
          value = static_cast<float>(1 + 0.1 * rng.normal());
          break;
        case WeightInit::kVariance:
          value = static_cast<float>(rng.uniform(0.5, 1.5));
          break;
      }
    }
    weights.set(weight->name, {node.shape, *buffer, buffer});
  }
  return weights;
}

}  // namespace cadenza
