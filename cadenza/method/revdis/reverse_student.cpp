#include "cadenza/method/revdis/reverse_student.h"

#include <ATen/ATen.h>

#include "cadenza/base/error.h"
#include "cadenza/tensor/map.h"

namespace cadenza {

namespace {

void require_pyramid(const std::vector<std::vector<std::int64_t>>& shapes) {
  CADENZA_REQUIRE(!shapes.empty(), ErrorCode::kInvalidArgument, "revdis: no taps were named");
  for (std::size_t scale = 1; scale < shapes.size(); ++scale) {
    const auto& fine = shapes[scale - 1];
    const auto& coarse = shapes[scale];
    CADENZA_REQUIRE(2 * coarse[1] == fine[1] && 2 * coarse[2] == fine[2],
                    ErrorCode::kInvalidArgument, "revdis: taps of ", fine[1], "x", fine[2], " and ",
                    coarse[1], "x", coarse[2],
                    " do not halve; name taps from fine to coarse, each half the one before");
  }
  const auto& last = shapes.back();
  CADENZA_REQUIRE(last[1] % 2 == 0 && last[2] % 2 == 0, ErrorCode::kInvalidArgument,
                  "revdis: the coarsest tap is ", last[1], "x", last[2],
                  ", which cannot be halved; choose a larger size");
}

/// 1 - cosine along axis 1.
at::Tensor disagreement(const at::Tensor& teacher, const at::Tensor& student) {
  return 1 - at::cosine_similarity(teacher, student, 1);
}

}  // namespace

ReverseStudent::ReverseStudent(const ReverseStudentSpec& spec,
                               const std::vector<std::vector<std::int64_t>>& shapes,
                               std::int64_t size_px, at::Device device)
    : spec_(spec), shapes_(shapes), size_px_(size_px), layers_(device) {
  require_pyramid(shapes);
  const auto deepest = shapes.back()[0];
  const auto n_scales = std::ssize(shapes);
  for (std::int64_t scale = 0; scale + 1 < n_scales; ++scale) {
    for (auto step = scale; step + 1 < n_scales; ++step) {
      const auto name = cat("join", scale, ".", step);
      const auto in = step == scale ? shapes[std::size_t(scale)][0] : deepest;
      layers_.add_convolution(name, {.in = in, .out = deepest, .stride = 2, .has_bias = false});
      layers_.add_norm(name, deepest);
    }
  }
  add_block("code.0", n_scales * deepest, 2 * deepest, Grid::kHalves);
  for (std::int64_t at = 1; at < spec.n_blocks; ++at) {
    add_block(cat("code.", at), 2 * deepest, 2 * deepest, Grid::kStays);
  }
  auto in = 2 * deepest;
  for (auto scale = n_scales - 1; scale >= 0; --scale) {
    const auto out = shapes[std::size_t(scale)][0];
    add_block(cat("student", scale, ".0"), in, out, Grid::kDoubles);
    for (std::int64_t at = 1; at < spec.n_blocks; ++at) {
      add_block(cat("student", scale, ".", at), out, out, Grid::kStays);
    }
    in = out;
  }
}

void ReverseStudent::add_block(const std::string& name, std::int64_t in, std::int64_t out,
                               Grid grid) {
  LayerShape first{.in = in, .out = out, .has_bias = false};
  if (grid == Grid::kHalves) first.stride = 2;
  if (grid == Grid::kDoubles) {
    first.kernel = first.stride = 2;
    first.is_transposed = true;
  }
  layers_.add_convolution(name + ".first", first);
  layers_.add_norm(name + ".first", out);
  layers_.add_convolution(name + ".second", {.in = out, .out = out, .has_bias = false});
  layers_.add_norm(name + ".second", out);
  if (grid == Grid::kStays) return;
  if (grid == Grid::kHalves) first.kernel = 1;
  layers_.add_convolution(name + ".shortcut", first);
  layers_.add_norm(name + ".shortcut", out);
}

at::Tensor ReverseStudent::block(const std::string& name, const at::Tensor& x, bool has_shortcut,
                                 bool is_training) const {
  const auto layer = [&](const std::string& which, const at::Tensor& value) {
    return layers_.normalise(name + which, layers_.convolve(name + which, value), is_training);
  };
  const auto inner = layer(".second", at::relu(layer(".first", x)));
  return inner + (has_shortcut ? layer(".shortcut", x) : x);
}

at::Tensor ReverseStudent::blocks(const std::string& name, const at::Tensor& x,
                                  bool is_training) const {
  at::Tensor value = block(name + ".0", x, true, is_training);
  for (std::int64_t at = 1; at < spec_.n_blocks; ++at) {
    value = block(cat(name, ".", at), at::relu(value), false, is_training);
  }
  return value;
}

at::Tensor ReverseStudent::code(const Features& teacher, bool is_training) const {
  std::vector<at::Tensor> joined;
  const auto n_scales = shapes_.size();
  for (std::size_t scale = 0; scale < n_scales; ++scale) {
    at::Tensor value = teacher[scale];
    for (auto step = scale; step + 1 < n_scales; ++step) {
      const auto name = cat("join", scale, ".", step);
      value = at::relu(layers_.normalise(name, layers_.convolve(name, value), is_training));
    }
    joined.push_back(value);
  }
  return at::relu(blocks("code", at::cat(joined, 1), is_training));
}

FeatureModel::Features ReverseStudent::student(const at::Tensor& code, bool is_training) const {
  Features made(shapes_.size());
  at::Tensor value = code;
  for (auto scale = std::ssize(shapes_) - 1; scale >= 0; --scale) {
    made[std::size_t(scale)] = blocks(cat("student", scale), value, is_training);
    value = at::relu(made[std::size_t(scale)]);
  }
  return made;
}

at::Tensor ReverseStudent::row_losses(const Features& features, bool is_training) const {
  const auto made = student(code(features, is_training), is_training);
  at::Tensor sum;
  for (std::size_t scale = 0; scale < made.size(); ++scale) {
    const auto term = disagreement(features[scale].flatten(1), made[scale].flatten(1));
    sum = sum.defined() ? sum + term : term;
  }
  return sum;
}

at::Tensor ReverseStudent::embeddings(const Features& features) const {
  return code(features, false).mean({2, 3});
}

FeatureScores ReverseStudent::score(const Features& features) const {
  const auto made = student(code(features, false), false);
  at::Tensor sum;
  for (std::size_t scale = 0; scale < made.size(); ++scale) {
    const auto cells = disagreement(features[scale], made[scale]).to(at::kCPU);
    const auto enlarged = enlarge_bilinear(cells.contiguous(), size_px_, size_px_);
    sum = sum.defined() ? sum + enlarged : enlarged;
  }
  const auto map = gaussian_blur(sum, spec_.blur_px);
  return {.image = map.flatten(1).amax(1), .map = map};
}

}  // namespace cadenza
