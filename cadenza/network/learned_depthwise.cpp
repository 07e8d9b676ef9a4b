#include "cadenza/network/learned_depthwise.h"

#include <array>
#include <cstring>
#include <optional>
#include <vector>

#include <ATen/ATen.h>
#include <ATen/Parallel.h>
#include <torch/csrc/autograd/custom_function.h>

namespace cadenza {
namespace {

constexpr int kLanes = 8;  ///< channels that are summed side by side

/// kLanes numbers in a register: left to itself, the compiler shuffles them about.
using Lanes = float __attribute__((vector_size(kLanes * sizeof(float))));

Lanes load(const float* from) {
  Lanes lanes;
  std::memcpy(&lanes, from, sizeof(lanes));
  return lanes;
}

/// kLanes channels of all images side by side, zeros around and for channels that are not there.
class LaneBlock {
 public:
  /// `planes` [B,C,H,W] float32, contiguous.
  LaneBlock(const at::Tensor& planes, std::int64_t pad_y, std::int64_t pad_x)
      : planes_(planes), pad_y_(pad_y), pad_x_(pad_x) {
    row = (planes.size(3) + 2 * pad_x) * kLanes;
    image = (planes.size(2) + 2 * pad_y) * row;
    numbers_.assign(static_cast<std::size_t>(planes.size(0) * image), 0);
  }

  const float* take(std::int64_t first_channel) {
    const auto n_channels = planes_.size(1), height = planes_.size(2), width = planes_.size(3);
    const auto* from = planes_.const_data_ptr<float>();
    for (std::int64_t which = 0; which < planes_.size(0); ++which) {
      float* corner = numbers_.data() + which * image + pad_y_ * row + pad_x_ * kLanes;
      for (std::int64_t lane = 0; lane < kLanes; ++lane) {
        const auto channel = first_channel + lane;
        const bool is_there = channel < n_channels;
        const auto* plane = from + (which * n_channels + channel) * height * width;
        for (std::int64_t y = 0; y < height; ++y) {
          float* to = corner + y * row + lane;
          for (std::int64_t x = 0; x < width; ++x, to += kLanes) *to = is_there ? *plane++ : 0;
        }
      }
    }
    return numbers_.data();
  }

  std::int64_t image, row;  ///< numbers from one to the next

 private:
  const at::Tensor& planes_;
  std::int64_t pad_y_, pad_x_;
  std::vector<float> numbers_;
};

/// What the gradient of one row of the kernels of kLanes channels is summed over.
struct RowWork {
  const float* seen;  ///< where this row of the kernels meets the first place of the first image
  const float* sent;  ///< gradient of the first place of the first image
  std::int64_t n_images, rows, columns;
  std::int64_t seen_image, seen_row, seen_step;  ///< numbers from one image, row, place to the next
};

/// `sums`: kSide rows of kLanes numbers, which stay in registers meanwhile.
template <int kSide>
void sum_row(const RowWork& work, float* sums) {
  std::array<Lanes, kSide> all{};
  const float* sent = work.sent;
  for (std::int64_t image = 0; image < work.n_images; ++image) {
    for (std::int64_t y = 0; y < work.rows; ++y) {
      const float* seen = work.seen + image * work.seen_image + y * work.seen_row;
      for (std::int64_t x = 0; x < work.columns; ++x, sent += kLanes, seen += work.seen_step) {
        const Lanes here = load(sent);
        for (int cell = 0; cell < kSide; ++cell) all[cell] += here * load(seen + cell * kLanes);
      }
    }
  }
  std::memcpy(sums, all.data(), sizeof(all));
}

void sum_row(std::int64_t side, const RowWork& work, float* sums) {
  switch (side) {
    case 3:
      return sum_row<3>(work, sums);
    case 5:
      return sum_row<5>(work, sums);
    case 7:
      return sum_row<7>(work, sums);
    default:
      for (std::int64_t cell = 0; cell < side; ++cell) {
        auto one = work;
        one.seen += cell * kLanes;
        sum_row<1>(one, sums + cell * kLanes);
      }
  }
}

/// Sum over images and places of gradient * what the kernel's cell saw: [C,1,k,k] float32.
at::Tensor kernel_gradient(const at::Tensor& x, const at::Tensor& gradient, std::int64_t side,
                           std::int64_t stride, std::int64_t pad_y, std::int64_t pad_x) {
  const auto seen_planes = x.to(at::kFloat).contiguous();
  const auto sent_planes = gradient.to(at::kFloat).contiguous();
  const auto n_channels = x.size(1), n_blocks = (n_channels + kLanes - 1) / kLanes;
  auto sums = at::empty({n_blocks, side * side, kLanes}, at::kFloat);
  auto* sum = sums.mutable_data_ptr<float>();
  at::parallel_for(0, n_blocks, 1, [&](std::int64_t first, std::int64_t last) {
    LaneBlock seen(seen_planes, pad_y, pad_x), sent(sent_planes, 0, 0);
    for (auto block = first; block < last; ++block) {
      const auto *in = seen.take(block * kLanes), *out = sent.take(block * kLanes);
      for (std::int64_t kernel_row = 0; kernel_row < side; ++kernel_row) {
        sum_row(side,
                {.seen = in + kernel_row * seen.row,
                 .sent = out,
                 .n_images = x.size(0),
                 .rows = gradient.size(2),
                 .columns = gradient.size(3),
                 .seen_image = seen.image,
                 .seen_row = stride * seen.row,
                 .seen_step = stride * kLanes},
                sum + (block * side + kernel_row) * side * kLanes);
      }
    }
  });
  return sums.transpose(1, 2).reshape({n_blocks * kLanes, 1, side, side}).slice(0, 0, n_channels);
}

class LearnedDepthwise : public torch::autograd::Function<LearnedDepthwise> {
 public:
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x,
                            const at::Tensor& kernels, const std::optional<at::Tensor>& bias,
                            std::int64_t stride, std::int64_t pad_y, std::int64_t pad_x) {
    context->save_for_backward({x, kernels});
    context->saved_data["has_bias"] = bias.has_value();
    context->saved_data["how"] = std::vector<std::int64_t>{stride, pad_y, pad_x};
    return at::conv2d(x, kernels, bias, {stride, stride}, {pad_y, pad_x}, {1, 1}, x.size(1));
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& sent) {
    const auto saved = context->get_saved_variables();
    const auto how = context->saved_data["how"].toIntVector();
    const auto &x = saved[0], &kernels = saved[1], &gradient = sent[0];
    torch::autograd::variable_list gradients(6);
    if (context->needs_input_grad(0)) {
      gradients[0] = std::get<0>(at::convolution_backward(
          gradient, x, kernels, std::nullopt, {how[0], how[0]}, {how[1], how[2]}, {1, 1},
          /*transposed=*/false, {0, 0}, x.size(1), {true, false, false}));
    }
    if (context->needs_input_grad(1)) {
      gradients[1] = kernel_gradient(x, gradient, kernels.size(3), how[0], how[1], how[2])
                         .to(kernels.scalar_type());
    }
    if (context->saved_data["has_bias"].toBool() && context->needs_input_grad(2)) {
      gradients[2] = gradient.sum({0, 2, 3});
    }
    return gradients;
  }
};

}  // namespace

at::Tensor learned_depthwise_conv(const at::Tensor& x, const at::Tensor& kernels,
                                  const at::Tensor& bias, std::int64_t stride, std::int64_t pad_y,
                                  std::int64_t pad_x) {
  const auto known_bias = bias.defined() ? std::optional(bias) : std::nullopt;
  return LearnedDepthwise::apply(x, kernels, known_bias, stride, pad_y, pad_x);
}

}  // namespace cadenza
