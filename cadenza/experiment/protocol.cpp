#include "cadenza/experiment/protocol.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <set>

#include "cadenza/base/error.h"
#include "cadenza/base/file.h"
#include "cadenza/base/rng.h"
#include "cadenza/base/suggest.h"

namespace cadenza {
namespace {

using Names = std::vector<std::string>;

const Names kMvtec = {"bottle",   "cable",      "capsule",    "carpet", "grid",
                      "hazelnut", "leather",    "metal_nut",  "pill",   "screw",
                      "tile",     "toothbrush", "transistor", "wood",   "zipper"};
const Names kVisa = {"candle",    "capsules", "cashew", "chewinggum", "fryum", "macaroni1",
                     "macaroni2", "pcb1",     "pcb2",   "pcb3",       "pcb4",  "pipe_fryum"};
const Names kMvtecOrder1 = {"leather",    "bottle", "metal_nut", "grid",       "screw",
                            "zipper",     "tile",   "hazelnut",  "toothbrush", "wood",
                            "transistor", "pill",   "carpet",    "capsule",    "cable"};
const Names kMvtecOrder2 = {"wood",       "transistor", "pill",   "tile",      "hazelnut",
                            "toothbrush", "leather",    "bottle", "metal_nut", "carpet",
                            "capsule",    "cable",      "grid",   "screw",     "zipper"};
const Names kMvtecOrder3 = {"leather",   "grid",     "tile", "bottle", "toothbrush",
                            "capsule",   "screw",    "pill", "zipper", "cable",
                            "metal_nut", "hazelnut", "wood", "carpet", "transistor"};
// Sorted MVTec, then sorted LOCO classes, after Python's random.seed(42); random.shuffle.
const Names kMvtecLoco = {"splicing_connectors",
                          "hazelnut",
                          "zipper",
                          "grid",
                          "screw",
                          "wood",
                          "breakfast_box",
                          "screw_bag",
                          "leather",
                          "transistor",
                          "pushpins",
                          "tile",
                          "cable",
                          "toothbrush",
                          "capsule",
                          "juice_bottle",
                          "metal_nut",
                          "pill",
                          "bottle",
                          "carpet"};

Names with_first(const std::string& first, Names rest) {
  rest.insert(rest.begin(), first);
  return rest;
}

std::vector<NamedProtocol> make_named_protocols() {
  const std::string iuf =
      "Tang et al., An Incremental Unified Framework for Small Defect "
      "Inspection, ECCV 2024";
  const std::string dne =
      "Li et al., Towards Continual Adaptation in Industrial Anomaly "
      "Detection, ACM MM 2022 (released program)";
  const std::string ucad =
      "Liu et al., Unsupervised Continual Anomaly Detection with "
      "Contrastively-learned Prompt, AAAI 2024";
  std::vector<NamedProtocol> all = {
      {"mvtec-14-1", "MVTec AD: 14 products, then one", iuf, "14-1x1", kMvtec},
      {"mvtec-10-5", "MVTec AD: 10 products, then five", iuf, "10-5x1", kMvtec},
      {"mvtec-3-3", "MVTec AD: 3 products, then three a step, four times", iuf, "3-3x4", kMvtec},
      {"mvtec-10-1", "MVTec AD: 10 products, then one a step, five times", iuf, "10-1x5", kMvtec},
      {"visa-11-1", "VisA: 11 products, then one", iuf, "11-1x1", kVisa},
      {"visa-8-4", "VisA: 8 products, then four", iuf, "8-4x1", kVisa},
      {"visa-8-1", "VisA: 8 products, then one a step, four times", iuf, "8-1x4", kVisa},
      {"mvtec_1x15", "MVTec AD: one product after another", ucad, "1x15", kMvtec},
      {"visa_1x12", "VisA: one product after another", ucad, "1x12", kVisa},
      {"mvtec_joint", "MVTec AD: all products at once", dne, "15x1", kMvtec},
      {"mvtec_loco_20", "MVTec AD and LOCO: 20 products one after another, shuffled", dne, "1x20",
       kMvtecLoco, true},
      {"mtd_mvtec_joint", "magnetic tiles and MVTec AD: all at once", dne, "16x1",
       with_first("mtd", kMvtecOrder1), true},
      {"mtd_mvtec_3x5", "magnetic tiles, then MVTec AD three a step, order 1", dne, "1-3x5",
       with_first("mtd", kMvtecOrder1), true},
  };
  const std::vector<const Names*> orders = {&kMvtecOrder1, &kMvtecOrder2, &kMvtecOrder3};
  for (std::size_t index = 0; index < orders.size(); ++index) {
    const auto which = cat(index + 1);
    all.push_back({"mvtec_3x5_o" + which, "MVTec AD: three products a step, order " + which, dne,
                   "3x5", *orders[index], true});
    all.push_back({"mvtec_10-1x5_o" + which,
                   "MVTec AD: 10 products, then one a step, order " + which, dne, "10-1x5",
                   *orders[index], true});
  }
  std::ranges::sort(all, {}, &NamedProtocol::name);
  return all;
}

/// How many tasks each step takes; n_steps absent: until none is left.
struct Pattern {
  std::int64_t first = 0, then = 0;
  std::optional<std::int64_t> n_steps;  ///< the first one counted
  bool needs_full_steps = true;
};

/// Takes a positive number from the front of `text`; absent if there is none.
std::optional<std::int64_t> take_number(std::string_view& text) {
  std::int64_t value = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failure != std::errc{} || value < 1 || value > 1'000'000) return std::nullopt;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return value;
}

bool take(std::string_view& text, char letter) {
  if (text.empty() || text.front() != letter) return false;
  text.remove_prefix(1);
  return true;
}

/// Absent: not in the grammar.
std::optional<Pattern> parse_pattern(std::string_view text, std::int64_t n_tasks) {
  if (text == "joint") return Pattern{n_tasks, n_tasks, 1};
  const auto first = take_number(text);
  if (!first) return std::nullopt;
  if (take(text, 'x')) {
    if (text == "N") return Pattern{*first, *first, std::nullopt, true};
    const auto n_steps = take_number(text);
    if (!n_steps || !text.empty()) return std::nullopt;
    return Pattern{*first, *first, n_steps};
  }
  if (!take(text, '-')) return std::nullopt;
  const auto then = take_number(text);
  if (!then) return std::nullopt;
  if (text.empty()) return Pattern{*first, *then, std::nullopt, false};
  if (!take(text, 'x')) return std::nullopt;
  const auto n_more = take_number(text);
  if (!n_more || !text.empty()) return std::nullopt;
  return Pattern{*first, *then, 1 + *n_more};
}

[[noreturn]] void throw_unknown(std::string_view protocol) {
  Names known = {"KxT", "X-Y", "X-YxT", "joint"};
  for (const auto& named : named_protocols()) known.push_back(named.name);
  throw Error(ErrorCode::kInvalidArgument, unknown_name_message("protocol", protocol, known));
}

TaskStream cut(std::string_view protocol, Names order) {
  const auto n_tasks = std::ssize(order);
  const auto pattern = parse_pattern(protocol, n_tasks);
  if (!pattern) throw_unknown(protocol);
  TaskStream stream{.order = std::move(order), .steps = {}};
  const auto n_wanted =
      pattern->n_steps ? pattern->first + (*pattern->n_steps - 1) * pattern->then : pattern->first;
  CADENZA_REQUIRE(n_tasks >= n_wanted, ErrorCode::kInvalidArgument, "protocol '", protocol,
                  "' takes ", pattern->n_steps ? "" : "at least ", n_wanted,
                  " tasks, but there are only ", n_tasks, ": ", join(stream.order));
  CADENZA_REQUIRE(!pattern->n_steps || n_tasks == n_wanted, ErrorCode::kInvalidArgument,
                  "protocol '", protocol, "' takes ", n_wanted, " tasks, but there are ", n_tasks,
                  "; name those to use with --order");
  auto position = stream.order.begin();
  while (position != stream.order.end()) {
    const auto wanted = stream.steps.empty() ? pattern->first : pattern->then;
    const auto left = stream.order.end() - position;
    CADENZA_REQUIRE(left >= wanted || !pattern->needs_full_steps, ErrorCode::kInvalidArgument,
                    "protocol '", protocol, "' takes ", wanted, " tasks a step, and ", n_tasks,
                    " tasks leave ", left, " over; name those to use with --order");
    const auto size = std::min(wanted, left);
    stream.steps.emplace_back(position, position + size);
    position += size;
  }
  return stream;
}

void require_known(const Names& order, std::span<const std::string> tasks, std::string_view who) {
  std::set<std::string> seen;
  Names missing;
  for (const auto& task : order) {
    if (std::ranges::find(tasks, task) == tasks.end()) missing.push_back(task);
    CADENZA_REQUIRE(seen.insert(task).second, ErrorCode::kInvalidArgument, who, ": task '", task,
                    "' stands there twice");
  }
  CADENZA_REQUIRE(missing.empty(), ErrorCode::kInvalidArgument, who, ": the data have no task ",
                  join(missing), "; they have ", join(tasks));
}

Names order_from_file(const std::filesystem::path& path) {
  const auto bytes = read_file(path);
  const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
  Names order;
  for (std::size_t start = 0; start < text.size();) {
    const auto end = std::min(text.find('\n', start), text.size());
    std::string line(text.substr(start, end - start));
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.pop_back();
    if (!line.empty() && line.front() != '#') order.push_back(line);
    start = end + 1;
  }
  return order;
}

Names order_from_list(std::string_view text) {
  Names order;
  for (std::size_t start = 0; start <= text.size();) {
    const auto end = std::min(text.find(',', start), text.size());
    if (end > start) order.emplace_back(text.substr(start, end - start));
    start = end + 1;
  }
  return order;
}

Names order_from_seed(std::string_view text, std::span<const std::string> tasks) {
  std::uint64_t seed = 0;
  const auto [end, failure] = std::from_chars(text.data(), text.data() + text.size(), seed);
  CADENZA_REQUIRE(failure == std::errc{} && end == text.data() + text.size(),
                  ErrorCode::kInvalidArgument, "order 'seed:", text, "': '", text,
                  "' is no whole number");
  Names sorted(tasks.begin(), tasks.end());
  std::ranges::sort(sorted);
  Names order;
  for (const auto index : Rng(seed, "task order").permutation(std::ssize(sorted))) {
    order.push_back(sorted[static_cast<std::size_t>(index)]);
  }
  return order;
}

}  // namespace

const std::vector<NamedProtocol>& named_protocols() {
  static const std::vector<NamedProtocol> all = make_named_protocols();
  return all;
}

TaskStream make_stream(std::string_view protocol, std::span<const std::string> tasks,
                       const std::optional<Names>& order) {
  const auto named = std::ranges::find(named_protocols(), protocol, &NamedProtocol::name);
  if (named == named_protocols().end()) {
    Names all = order.value_or(Names(tasks.begin(), tasks.end()));
    if (order) {
      require_known(all, tasks, "order");
    } else {
      std::ranges::sort(all);
    }
    return cut(protocol, std::move(all));
  }
  CADENZA_REQUIRE(!order || !named->has_own_order, ErrorCode::kInvalidArgument, "protocol '",
                  protocol, "' has its own order; use '", named->pattern, "' with --order");
  const auto& all = order ? *order : named->tasks;
  require_known(all, tasks, cat("protocol '", protocol, "'"));
  return cut(named->pattern, all);
}

Names parse_order(std::string_view text, std::span<const std::string> tasks) {
  constexpr std::string_view kSeed = "seed:", kFile = "file:";
  if (text.starts_with(kSeed)) return order_from_seed(text.substr(kSeed.size()), tasks);
  if (text.starts_with(kFile)) return order_from_file(text.substr(kFile.size()));
  std::error_code ignored;
  if (std::filesystem::is_regular_file(text, ignored)) return order_from_file(text);
  return order_from_list(text);
}

}  // namespace cadenza
