#pragma once

#include <filesystem>
#include <span>
#include <string>

#include "cadenza/base/progress.h"
#include "cadenza/report/example.h"
#include "cadenza/report/run_record.h"

namespace cadenza {

struct ReportOptions {
  MapSource map_of;  ///< for overlays; empty: examples are photographs with boxes
  /// Of the process that writes it: warnings about images that cannot be shown. Not owned.
  Progress* progress = &no_progress();
};

/// One HTML file that needs nothing else: no script, no font, no address. All numbers are text; it
/// prints, and follows the reader's choice of light or dark. Several runs are compared first, then
/// each has its part.
/// Errors   kInvalidArgument: no run. An image or a predictions file that cannot be read is left
///          out, with a warning and a remark in the report.
std::string make_html_report(std::span<const RunRecord> runs, const ReportOptions& options = {});

/// Reads `folder` and writes its report.html; returns the path. What a benchmark ends with.
/// Errors   those of read_run() and of writing.
std::filesystem::path write_run_report(const std::filesystem::path& folder,
                                       const ReportOptions& options = {});

}  // namespace cadenza
