#include "cadenza/method/revdis/reverse_student.h"

#include "tests/support/error_of.h"
#include "tests/support/random_tensor.h"
#include <ATen/ATen.h>
#include <c10/core/GradMode.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

const std::vector<std::vector<std::int64_t>> kShapes = {{3, 8, 8}, {5, 4, 4}, {6, 2, 2}};

FeatureModel::Features features(std::int64_t n_images) {
  FeatureModel::Features all;
  for (std::size_t scale = 0; scale < kShapes.size(); ++scale) {
    const auto& shape = kShapes[scale];
    all.push_back(random_tensor({n_images, shape[0], shape[1], shape[2]}, int(scale) + 7));
  }
  return all;
}

std::unique_ptr<ReverseStudent> made_student(double blur_px) {
  auto student = std::make_unique<ReverseStudent>(
      ReverseStudentSpec{.n_blocks = 2, .blur_px = blur_px}, kShapes, 16, at::kCPU);
  student->layers().start(1);
  return student;
}

TEST(ReverseStudent, GivesEveryFeatureBackInItsShape) {
  const auto student = made_student(0);
  const auto teacher = features(2);
  const auto code = student->code(teacher, false);
  EXPECT_EQ(code.sizes(), at::IntArrayRef({2, 12, 1, 1}));
  const auto made = student->student(code, false);
  ASSERT_EQ(made.size(), teacher.size());
  for (std::size_t scale = 0; scale < made.size(); ++scale) {
    EXPECT_EQ(made[scale].sizes(), teacher[scale].sizes());
  }
}

/// 1 - cosine of two vectors, summed by hand.
double disagreement(const at::Tensor& first, const at::Tensor& second) {
  double products = 0, squares = 0, other_squares = 0;
  const at::Tensor a = first.reshape({-1}).to(at::kDouble),
                   b = second.reshape({-1}).to(at::kDouble);
  for (std::int64_t index = 0; index < a.numel(); ++index) {
    const double x = a[index].item<double>(), y = b[index].item<double>();
    products += x * y;
    squares += x * x;
    other_squares += y * y;
  }
  return 1 - products / std::sqrt(squares * other_squares);
}

TEST(ReverseStudent, LossAndMapByTheirDefinition) {
  const auto student = made_student(0);
  const auto teacher = features(2);
  const c10::NoGradGuard no_grad;
  const auto made = student->student(student->code(teacher, false), false);
  const auto losses = student->row_losses(teacher, false);
  const auto scores = student->score(teacher);
  EXPECT_EQ(scores.map.sizes(), at::IntArrayRef({2, 16, 16}));
  for (std::int64_t row = 0; row < 2; ++row) {
    double loss = 0, corner = 0;
    for (std::size_t scale = 0; scale < made.size(); ++scale) {
      loss += disagreement(teacher[scale][row], made[scale][row]);
      // Enlarged with clamped edges, the corner pixel is the corner cell.
      const auto cell = [&](const at::Tensor& all) { return all[row].select(1, 0).select(1, 0); };
      corner += disagreement(cell(teacher[scale]), cell(made[scale]));
    }
    EXPECT_NEAR(losses[row].item<double>(), loss, 1e-5);
    EXPECT_NEAR(scores.map[row][0][0].item<double>(), corner, 1e-5);
    EXPECT_EQ(scores.image[row].item<float>(), scores.map[row].max().item<float>());
  }
}

TEST(ReverseStudent, LearnsToGiveBackWhatItSees) {
  const auto student = made_student(0);
  const auto teacher = features(4);
  const double before = student->row_losses(teacher, true).mean().item<double>();
  for (int step = 0; step < 60; ++step) {
    for (const auto& [name, parameter] : student->layers().parameters()) {
      at::Tensor(parameter).mutable_grad().reset();
    }
    student->row_losses(teacher, true).mean().backward();
    const c10::NoGradGuard no_grad;
    for (const auto& [name, parameter] : student->layers().parameters()) {
      if (parameter.grad().defined()) at::Tensor(parameter).sub_(0.2 * parameter.grad());
    }
  }
  EXPECT_LT(student->row_losses(teacher, true).mean().item<double>(), 0.6 * before);
}

TEST(ReverseStudent, RunningStatisticsFollowTheBatchesAndAreKept) {
  const auto student = made_student(0);
  const auto teacher = features(4);
  const at::Tensor before = student->row_losses(teacher, false).detach();
  student->row_losses(teacher, true);
  const at::Tensor after = student->row_losses(teacher, false).detach();
  EXPECT_GT((after - before).abs().max().item<double>(), 0);
  StatePiece piece;
  student->layers().save("layers.", piece);
  const auto loaded = made_student(0);
  PieceReader reader(piece, "shared");
  loaded->layers().load("layers.", reader);
  reader.finish();
  EXPECT_TRUE(loaded->row_losses(teacher, false).detach().equal(after));
}

TEST(ReverseStudent, RecordsThePatchesOfItsConvolutions) {
  const auto student = made_student(0);
  const auto teacher = features(2);
  const c10::NoGradGuard no_grad;
  const auto columns = student->layers().record([&] { student->row_losses(teacher, false); });
  // A convolution is its weight times the patches.
  const auto& weight = student->layers().parameters().at("join0.0.weight");
  const at::Tensor wanted = student->layers().convolve("join0.0", teacher[0]);
  const at::Tensor found = weight.flatten(1).matmul(columns.at("join0.0.weight"));
  EXPECT_TRUE(found.allclose(wanted.permute({1, 0, 2, 3}).reshape({6, -1}), 1e-4, 1e-5));
  EXPECT_FALSE(columns.contains("student0.0.first.weight")) << "a transposed one has no columns";
}

TEST(ReverseStudent, TellsWhichFeaturesItCannotTake) {
  const auto make = [](std::vector<std::vector<std::int64_t>> shapes) {
    return error_of([&] { ReverseStudent({}, shapes, 16, at::kCPU); });
  };
  const auto same = make({{3, 8, 8}, {5, 8, 8}});
  EXPECT_EQ(same.code(), ErrorCode::kInvalidArgument);
  EXPECT_NE(std::string(same.what()).find("each half the one before"), std::string::npos);
  EXPECT_NE(std::string(make({{3, 5, 5}}).what()).find("larger size"), std::string::npos);
  EXPECT_EQ(make({}).code(), ErrorCode::kInvalidArgument);
}

}  // namespace
}  // namespace cadenza
