#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace cadenza {

/// The tasks of a run, step by step: what is learned together, and in which order.
struct TaskStream {
  std::vector<std::string> order;               ///< all tasks, as they are learned
  std::vector<std::vector<std::string>> steps;  ///< the same, cut into steps
};

/// A protocol that has a name of its own.
struct NamedProtocol {
  std::string name;
  std::string summary;
  std::string source;
  std::string pattern;             ///< how the tasks are cut, in the grammar of make_stream()
  std::vector<std::string> tasks;  ///< those it is made of, in its order
  bool has_own_order = false;      ///< false: the order is byte-wise sorted and can be replaced
};

/// All named protocols, sorted by name.
const std::vector<NamedProtocol>& named_protocols();

/// Cuts tasks into steps.
///
///   KxT      T steps of K tasks each; T may be N: as many steps as there are tasks for
///   X-Y      X tasks, then Y a step until none is left (the last step may have fewer)
///   X-YxT    X tasks, then T steps of Y tasks each
///   joint    all tasks in one step
///   a name   of named_protocols()
///
/// `tasks` are those of the dataset. `order`, where given, lists the tasks to use as they are
/// learned; otherwise they are sorted byte-wise. A named protocol uses its own tasks alone.
/// Errors   kInvalidArgument: an unknown pattern (listing the known ones), too few tasks for it or
///          some left over (saying how many it wants), a task in `order` that the data lack or that
///          stands there twice, tasks of a named protocol that the data lack, or an order given to
///          a protocol that has its own.
TaskStream make_stream(std::string_view protocol, std::span<const std::string> tasks,
                       const std::optional<std::vector<std::string>>& order = std::nullopt);

/// What --order says: "a,b,c" is a list, "seed:K" a random order of all tasks, "file:PATH" or the
/// path of an existing file one task a line (empty lines and those that start with # are skipped).
/// Errors   kNotFound, kIo: the file. kInvalidArgument: a seed that is no number.
std::vector<std::string> parse_order(std::string_view text, std::span<const std::string> tasks);

}  // namespace cadenza
