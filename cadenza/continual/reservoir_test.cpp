#include "cadenza/continual/reservoir.h"

#include <random>
#include <vector>

#include <gtest/gtest.h>

namespace cadenza {
namespace {

/// numpy.random.RandomState.randint(0, n): masked rejection on 32-bit draws.
std::int64_t numpy_below(std::mt19937& engine, std::int64_t n) {
  std::uint32_t mask = static_cast<std::uint32_t>(n - 1);
  for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
  std::uint32_t drawn = static_cast<std::uint32_t>(engine()) & mask;
  while (drawn >= n) drawn = static_cast<std::uint32_t>(engine()) & mask;
  return drawn;
}

// dne_cl specification, TV-8: capacity 5, items 0..29, RandomState(42).
TEST(ReservoirSlot, KeepsThePublishedItems) {
  std::mt19937 engine(42);
  std::vector<std::int64_t> slots(5, -1);
  for (std::int64_t item = 0; item < 30; ++item) {
    const auto slot =
        reservoir_slot(item, 5, [&](std::int64_t n) { return numpy_below(engine, n); });
    if (slot) slots[static_cast<std::size_t>(*slot)] = item;
  }
  EXPECT_EQ(slots, (std::vector<std::int64_t>{24, 22, 18, 16, 9}));
}

TEST(ReservoirSlot, NoRoomKeepsNothing) {
  EXPECT_FALSE(reservoir_slot(0, 0, [](std::int64_t) { return 0; }));
}

}  // namespace
}  // namespace cadenza
