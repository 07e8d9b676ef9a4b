#pragma once

#include <cstdint>
#include <optional>
#include <vector>

#include "cadenza/inspector/verdict.h"
#include "cadenza/method/method.h"
#include "cadenza/tensor/state.h"

namespace cadenza {

/// For methods that cannot score their own normals as if they had not been learned: every fifth is
/// not learned and sets the threshold instead.
struct HoldBack {
  std::vector<std::size_t> learned, held_back;  ///< places in 0..n-1, ascending
};

/// Nothing is held back of fewer than 25: four scores give no threshold.
HoldBack hold_back(std::size_t n_normals);
/// The split of a method that calibrates itself.
HoldBack learn_all(std::size_t n_normals);

/// One more normal that was not learned, judged by its own task.
void add_held_back(Calibration& calibration, const Verdict& verdict);

/// Puts the scores into a task's piece, beside what the method keeps there (docs/formats/state.md),
/// and takes them out again, so that the method finds what it wrote.
void put_held_back(const Calibration& calibration, StatePiece& piece);
std::optional<Calibration> take_held_back(StatePiece& piece);

/// The largest map value on up to 16 of the images of `data` that belong to `task`: the map's
/// threshold where the method names none. Absent: the method makes no map.
std::optional<double> largest_map_value(const Method& method, TaskId task, const TaskData& data);

}  // namespace cadenza
