#include "cadenza/dataset/check.h"

#include <algorithm>
#include <ostream>

#include "cadenza/base/json.h"
#include "cadenza/base/suggest.h"
#include "cadenza/cli/data/data.h"
#include "cadenza/dataset/layout.h"

namespace cadenza {
namespace {

Json range_json(std::int64_t least, std::int64_t most) {
  return most == 0 ? Json() : Json{least, most};
}

Json to_json(const CheckRow& row) {
  return {{"task", row.task},
          {"split", to_string(row.split)},
          {"label", row.label},
          {"images", row.n_images},
          {"masks", row.is_defect ? Json(row.n_masked) : Json()},
          {"reasons", row.reasons},
          {"width", range_json(row.least_width_px, row.most_width_px)},
          {"height", range_json(row.least_height_px, row.most_height_px)}};
}

Json to_json(const Finding& finding) {
  Json files = Json::array();
  for (const auto& file : finding.files) files.push_back(file.string());
  return {{"kind", to_string(finding.kind)},
          {"problem", is_problem(finding.kind)},
          {"files", files},
          {"message", finding.message}};
}

Json to_json(const Dataset& dataset, const DatasetCheck& check) {
  Json rows = Json::array();
  for (const auto& row : check.rows) rows.push_back(to_json(row));
  Json findings = Json::array();
  for (const auto& finding : check.findings) findings.push_back(to_json(finding));
  return {{"root", dataset.root.string()},
          {"layout", dataset.layout},
          {"tasks", dataset.tasks},
          {"images", check.n_images},
          {"rows", rows},
          {"findings", findings},
          {"problems", check.n_problems()},
          {"notes", dataset.notes}};
}

std::string size_text(const CheckRow& row) {
  if (row.most_width_px == 0) return "-";
  const auto range = [](std::int64_t least, std::int64_t most) {
    return least == most ? cat(least) : cat(least, "-", most);
  };
  return cat(range(row.least_width_px, row.most_width_px), " x ",
             range(row.least_height_px, row.most_height_px));
}

/// Columns padded to one width each.
std::string table_text(const std::vector<std::vector<std::string>>& lines) {
  std::vector<std::size_t> widths(lines.front().size());
  for (const auto& line : lines) {
    for (std::size_t at = 0; at < line.size(); ++at) {
      widths[at] = std::max(widths[at], line[at].size());
    }
  }
  std::string text;
  for (const auto& line : lines) {
    std::string padded;
    for (std::size_t at = 0; at < line.size(); ++at) {
      padded += line[at] + std::string(widths[at] - line[at].size() + 2, ' ');
    }
    text += padded.substr(0, padded.find_last_not_of(' ') + 1) + "\n";
  }
  return text;
}

std::string to_text(const Dataset& dataset, const DatasetCheck& check) {
  std::vector<std::vector<std::string>> lines = {
      {"task", "split", "label", "images", "masks", "size", "remarks"}};
  for (const auto& row : check.rows) {
    lines.push_back({row.task, std::string(to_string(row.split)), row.label, cat(row.n_images),
                     row.is_defect ? cat(row.n_masked) : "-", size_text(row),
                     join(row.reasons, "; ")});
  }
  auto text = cat(dataset.root.string(), ": layout ", dataset.layout, ", ", dataset.tasks.size(),
                  " tasks, ", check.n_images, " images\n", table_text(lines));
  for (const bool problems : {true, false}) {
    const auto n = problems ? check.n_problems() : std::ssize(check.findings) - check.n_problems();
    if (n == 0) continue;
    text += problems ? "problems:\n" : "remarks:\n";
    for (const auto& finding : check.findings) {
      if (is_problem(finding.kind) == problems) {
        text += cat("  ", to_string(finding.kind), ": ", finding.message, "\n");
      }
    }
  }
  if (!dataset.notes.empty()) text += "ignored:\n";
  for (const auto& note : dataset.notes) text += cat("  ", note, "\n");
  return text + (check.n_problems() == 0 ? "no problem found\n" : "");
}

}  // namespace

int run_data_check(const CommandContext& context) {
  Json all = Json::array();
  std::int64_t n_problems = 0;
  for (const auto& root : context.invocation.list("data")) {
    const auto dataset = read_dataset(root, context.invocation.text("layout"));
    const auto check = check_dataset(dataset, context.progress, context.stop);
    n_problems += check.n_problems();
    all.push_back(to_json(dataset, check));
    if (!context.invocation.flag("json")) context.out << to_text(dataset, check);
  }
  if (context.invocation.flag("json")) {
    context.out << Json{{"datasets", all}, {"problems", n_problems}}.dump(2) << '\n';
  }
  return n_problems > 0 ? kExitSomeFailed : kExitDone;
}

}  // namespace cadenza
