#include <ATen/ATen.h>
#include <gtest/gtest.h>

#include "cadenza/continual/testing/linear_model.h"
#include "cadenza/continual/testing/make_strategy.h"

namespace cadenza {
namespace {

TEST(Er, StoredNormalRowsJoinTheNextBatch) {
  LinearModel model;
  auto view = model.view();
  const auto er = make_strategy("er", {{"batch", "8"}});
  er->begin_task(LinearTask(), view);
  auto batch = model.whole();
  er->mix_batch(batch);
  EXPECT_EQ(batch.images.size(0), 4) << "nothing was stored yet";
  er->mix_batch(batch);
  EXPECT_EQ(batch.images.size(0), 6);
  EXPECT_EQ(batch.n_fresh, 4);
  EXPECT_EQ(batch.labels.slice(0, 4).sum().item<int>(), 0) << "only normals are kept";
  EXPECT_TRUE(at::equal(batch.images.slice(0, 4), model.rows.slice(0, 0, 2)));
}

TEST(Er, NoCapacityIsFinetune) {
  LinearModel model;
  auto view = model.view();
  const auto er = make_strategy("er", {{"capacity", "0"}});
  er->begin_task(LinearTask(), view);
  auto batch = model.whole();
  er->mix_batch(batch);
  er->mix_batch(batch);
  EXPECT_EQ(batch.images.size(0), 4);
}

}  // namespace
}  // namespace cadenza
