#include <cmath>

#include "tests/support/error_of.h"
#include <ATen/ATen.h>
#include <gmock/gmock.h>

#include "cadenza/base/rng.h"
#include "cadenza/network/engine.h"
#include "cadenza/network/torch_engine.h"

namespace cadenza {
namespace {

using testing::HasSubstr;
using Tensors = std::vector<at::Tensor>;

at::Tensor random_tensor(at::IntArrayRef sizes, const std::string& stream) {
  auto tensor = at::empty(sizes, at::kFloat);
  Rng rng(1, stream);
  for (auto& value : std::span(tensor.data_ptr<float>(), tensor.numel())) {
    value = static_cast<float>(rng.uniform(-1, 1));
  }
  return tensor;
}

/// Runs a graph of one output, made of inputs only, with both engines.
void expect_both(const Graph& graph, const Tensors& inputs, const at::Tensor& expected) {
  for (const auto kind : {EngineKind::kTorch, EngineKind::kOpenvino}) {
    const auto found =
        make_engine(graph, std::make_shared<Weights>(), {.kind = kind})->run(inputs)[0];
    ASSERT_EQ(found.sizes(), expected.sizes()) << to_string(kind);
    EXPECT_LT((found - expected).abs().max().item<double>(),
              1e-5 * expected.abs().max().item<double>())
        << to_string(kind);
  }
}

/// Grid attention as its definition says, cell by cell in double precision.
at::Tensor attention_by_definition(const Tensors& in, const op::GridAttention& how) {
  const auto q = in[0].to(at::kDouble), k = in[1].to(at::kDouble), v = in[2].to(at::kDouble);
  const auto by_row = in[3].to(at::kDouble), by_column = in[4].to(at::kDouble);
  const auto depth = q.size(2) / how.n_heads;
  const auto window = how.window == 0 ? how.rows : how.window;
  auto out = at::zeros_like(q);
  for (std::int64_t image = 0; image < q.size(0); ++image) {
    for (std::int64_t head = 0; head < how.n_heads; ++head) {
      const auto part = [&](const at::Tensor& x, std::int64_t cell) {
        return x[image][cell].narrow(0, head * depth, depth);
      };
      for (std::int64_t y = 0; y < how.rows; ++y) {
        for (std::int64_t x = 0; x < how.columns; ++x) {
          const auto query = part(q, y * how.columns + x);
          double sum = 0;
          auto mixed = at::zeros({depth}, at::kDouble);
          for (std::int64_t other_y = 0; other_y < how.rows; ++other_y) {
            for (std::int64_t other_x = 0; other_x < how.columns; ++other_x) {
              if (y / window != other_y / window || x / window != other_x / window) continue;
              const auto other = other_y * how.columns + other_x;
              const double logit =
                  at::dot(query, part(k, other)).item<double>() / std::sqrt(double(depth)) +
                  at::dot(query, by_row[window - 1 + y - other_y]).item<double>() +
                  at::dot(query, by_column[window - 1 + x - other_x]).item<double>();
              sum += std::exp(logit);
              mixed += std::exp(logit) * part(v, other);
            }
          }
          part(out, y * how.columns + x).copy_(mixed / sum);
        }
      }
    }
  }
  return out.to(at::kFloat);
}

TEST(Operations, GridAttentionIsItsDefinition) {
  for (const op::GridAttention how : {op::GridAttention{2, 4, 6, 2}, op::GridAttention{3, 5, 5, 0},
                                      op::GridAttention{1, 3, 3, 3}}) {
    const std::int64_t n = how.rows * how.columns, depth = 4, c = depth * how.n_heads;
    const auto side = how.window == 0 ? how.rows : how.window;
    Graph g;
    const auto q = g.input("q", {kBatch, n, c}), k = g.input("k", {kBatch, n, c});
    const auto v = g.input("v", {kBatch, n, c});
    const auto rows = g.input("rows", {2 * side - 1, depth});
    const auto columns = g.input("columns", {2 * side - 1, depth});
    g.output("mixed", g.grid_attention(q, k, v, rows, columns, how));
    const Tensors inputs{random_tensor({2, n, c}, "q"), random_tensor({2, n, c}, "k"),
                         random_tensor({2, n, c}, "v"),
                         random_tensor({2 * side - 1, depth}, "rows"),
                         random_tensor({2 * side - 1, depth}, "columns")};
    expect_both(g, inputs, attention_by_definition(inputs, how));
  }
}

// 64 x 64 cells and 4 heads have 268 MB of logits: they are made in two parts.
TEST(Operations, GridAttentionOfALargeGridIsMadeInParts) {
  const std::int64_t side = 64, c = 8;
  Graph g;
  const Shape cells{1, side * side, c}, table{2 * side - 1, 2};
  const auto q = g.input("q", cells), k = g.input("k", cells), v = g.input("v", cells);
  const auto rows = g.input("rows", table), columns = g.input("columns", table);
  const auto mixed = g.grid_attention(q, k, v, rows, columns,
                                      {.n_heads = 4, .rows = side, .columns = side, .window = 0});
  g.output("some", g.concat({g.slice(mixed, 1, 0, 1), g.slice(mixed, 1, 4030, 4031)}, 1));
  const Tensors in{random_tensor(cells, "q"), random_tensor(cells, "k"), random_tensor(cells, "v"),
                   random_tensor(table, "rows"), random_tensor(table, "columns")};
  auto expected = at::zeros({1, 2, c});
  const auto place = at::arange(side);
  for (std::int64_t which = 0; which < 2; ++which) {
    const std::int64_t cell = which == 0 ? 0 : 4030;
    const auto row = in[3].index_select(0, cell / side - place + (side - 1));
    const auto column = in[4].index_select(0, cell % side - place + (side - 1));
    for (std::int64_t head = 0; head < 4; ++head) {
      const auto part = [&](const at::Tensor& x) { return x[0].narrow(1, 2 * head, 2); };
      const auto query = part(in[0])[cell];
      const auto near = at::mv(row, query).unsqueeze(1) + at::mv(column, query).unsqueeze(0);
      const auto logits = at::mv(part(in[1]), query) / std::sqrt(2.0) + near.flatten();
      expected[0][which].narrow(0, 2 * head, 2).copy_(at::mv(part(in[2]).t(), logits.softmax(0)));
    }
  }
  expect_both(g, in, expected);
}

TEST(Operations, AttentionSharesWhatHasBatchOne) {
  for (const bool shared_query : {true, false}) {
    Graph g;
    const Shape one{1, 5, 6}, many{kBatch, 3, 6};
    const auto q = g.input("q", shared_query ? one : many);
    const auto k = g.input("k", shared_query ? many : one);
    g.output("mixed", g.attention(q, k, k, 2));
    const auto shared = random_tensor({1, 5, 6}, "shared"), own = random_tensor({4, 3, 6}, "own");
    const auto repeated = shared.expand({4, 5, 6});
    Graph plain;
    const auto plain_q = plain.input("q", {kBatch, shared_query ? 5 : 3, 6});
    const auto plain_k = plain.input("k", {kBatch, shared_query ? 3 : 5, 6});
    plain.output("mixed", plain.attention(plain_q, plain_k, plain_k, 2));
    const auto expected =
        make_engine(plain, std::make_shared<Weights>(), {})
            ->run(shared_query ? Tensors{repeated, own} : Tensors{own, repeated})[0];
    expect_both(g, shared_query ? Tensors{shared, own} : Tensors{own, shared}, expected);
  }
}

TEST(Operations, TransposedConvolutionSpreadsEachPixel) {
  for (const int stride : {1, 2, 3}) {
    Graph g;
    const auto x = g.input("x", {kBatch, 3, 4, 5});
    const auto w = g.input("w", {3, 2, 2, 2}), b = g.input("b", {2});
    g.output("y", g.transposed_conv(x, w, b, {stride}));
    const Tensors in{random_tensor({2, 3, 4, 5}, "x"), random_tensor({3, 2, 2, 2}, "w"),
                     random_tensor({2}, "b")};
    auto expected = at::zeros({2, 2, 3 * stride + 2, 4 * stride + 2});
    expected += in[2].view({1, 2, 1, 1});
    for (std::int64_t y = 0; y < 4; ++y) {
      for (std::int64_t column = 0; column < 5; ++column) {
        const auto pixel = in[0].select(3, column).select(2, y);  // [2,3]
        const auto spread = at::einsum("bc,cokl->bokl", {pixel, in[1]});
        expected.narrow(2, y * stride, 2).narrow(3, column * stride, 2) += spread;
      }
    }
    expect_both(g, in, expected);
  }
}

TEST(Operations, MatMulPadSineAndCosine) {
  Graph g;
  const auto a = g.input("a", {kBatch, 2, 3}), b = g.input("b", {1, 3, 4});
  const auto product = g.pad(g.matmul(a, b), 1, 2);  // [B,4,4]
  g.output("y", g.add(g.sin(product), g.cos(product)));
  const Tensors in{random_tensor({3, 2, 3}, "a"), random_tensor({1, 3, 4}, "b")};
  auto expected = at::ones({3, 4, 4});  // sin 0 + cos 0 in the padding
  for (std::int64_t image = 0; image < 3; ++image) {
    for (std::int64_t row = 0; row < 2; ++row) {
      for (std::int64_t column = 0; column < 4; ++column) {
        double sum = 0;
        for (std::int64_t k = 0; k < 3; ++k) {
          sum += in[0][image][row][k].item<double>() * in[1][0][k][column].item<double>();
        }
        expected[image][row][column] = std::sin(sum) + std::cos(sum);
      }
    }
  }
  expect_both(g, in, expected);
}

TEST(Operations, ShapesThatDoNotFitAreNamed) {
  Graph g;
  const auto cells = g.input("cells", {kBatch, 12, 8});
  const auto table = g.input("table", {5, 4}), image = g.input("image", {kBatch, 3, 4, 4});
  const auto w = g.input("w", {4, 2, 2, 2});
  for (const auto& error :
       {error_of([&] { g.grid_attention(cells, cells, cells, table, table, {2, 4, 4, 2}); }),
        error_of([&] { g.grid_attention(cells, cells, cells, table, table, {2, 3, 4, 0}); }),
        error_of([&] { g.grid_attention(cells, cells, cells, table, table, {2, 3, 4, 2}); }),
        error_of([&] { g.grid_attention(cells, cells, cells, table, table, {2, 6, 2, 2}); }),
        error_of([&] { g.grid_attention(cells, table, cells, table, table, {2, 6, 2, 2}); }),
        error_of([&] { g.transposed_conv(image, w, {}, {2}); }),
        error_of([&] { g.matmul(cells, cells); }), error_of([&] { g.matmul(cells, table); }),
        error_of([&] { g.pad(cells, 0, 1); }), error_of([&] { g.pad(cells, 3, 1); })}) {
    EXPECT_EQ(error.code(), ErrorCode::kInvalidArgument) << error.what();
  }
  EXPECT_THAT(error_of([&] { g.transposed_conv(image, w, {}, {2}); }).what(),
              HasSubstr("[B,3,4,4] and [4,2,2,2]"));
}

}  // namespace
}  // namespace cadenza
