#pragma once

#include <filesystem>
#include <fstream>
#include <string>
#include <string_view>

#include "cadenza/base/error.h"
#include "cadenza/base/json.h"
#include "cadenza/inspector/verdict.h"

namespace cadenza {

/// A line of predictions.jsonl: members of one image (the design's formats.md).
/// `pictures` are the paths that were written, `model` digest and generation.
Json prediction_line(const std::filesystem::path& file, const Verdict& verdict,
                     const Json& pictures, const Json& model);
/// The line of an image that could not be judged.
Json failure_line(const std::filesystem::path& file, const Error& error);

/// The line as text; bytes of file names that are no UTF-8 become U+FFFD.
std::string to_text(const Json& line);

/// What a person reads of it.
std::string describe(const Json& line);

/// predictions.csv of labelled images: the columns of `lines` (predictions.jsonl) without the
/// regions, and true_task and true_label. Errors   kCorruptData: a line that is no JSON.
std::string tested_csv(std::string_view lines);

/// predictions.jsonl and predictions.csv, written line by line: what is finished stays, whatever
/// comes. The csv has the columns of the lines without the regions.
class PredictionFiles {
 public:
  /// Replaces earlier ones in `folder`, which is made. Errors   kIo, here and below.
  explicit PredictionFiles(const std::filesystem::path& folder);
  void add(const Json& line);

 private:
  void require_good() const;

  std::filesystem::path folder_;
  std::ofstream lines_, table_;
};

}  // namespace cadenza
