#include "cadenza/metric/score_history.h"

#include <limits>

#include "tests/support/error_of.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace cadenza {
namespace {

using testing::ElementsAre;

TEST(ScoreHistory, IsTheMeanOfScaledReadings) {
  ScoreHistory history;
  history.add(std::vector<float>{2, 4, 3});
  EXPECT_THAT(history.mean(), ElementsAre(0, 1, 0.5F));
  history.add(std::vector<float>{-10, 0, -10});
  EXPECT_THAT(history.mean(), ElementsAre(0, 1, 0.25F));
  EXPECT_EQ(history.n_readings(), 2);
}

TEST(ScoreHistory, EqualScoresCountAsZeros) {
  ScoreHistory history;
  history.add(std::vector<float>{5, 5});
  history.add(std::vector<float>{0, 1});
  EXPECT_THAT(history.mean(), ElementsAre(0, 0.5F));
}

TEST(ScoreHistory, RefusesOtherLengthsAndWhatIsNotFinite) {
  ScoreHistory history;
  history.add(std::vector<float>{1, 2});
  EXPECT_EQ(error_of([&] { history.add(std::vector<float>{1}); }).code(),
            ErrorCode::kInvalidArgument);
  const float infinite = std::numeric_limits<float>::infinity();
  EXPECT_EQ(error_of([&] { history.add(std::vector<float>{1, infinite}); }).code(),
            ErrorCode::kNumeric);
}

}  // namespace
}  // namespace cadenza
