#pragma once

#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/photos.h"
#include "tests/support/run_program.h"
#include "tests/support/temporary_folder.h"
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cadenza/base/digest.h"
#include "cadenza/base/json.h"

namespace cadenza {

/// Commands run as processes in a folder with photos of products. The program is bin/cadenza over
/// the methods of tests/support/toy_methods.h.
class CommandTest : public ::testing::Test {
 protected:
  CommandTest() {
    for (const auto& product : {kBottle, kCable}) {
      write_photos(folder_.path() / product.name, product, 30);
    }
    write_photos(folder_.path() / "new" / "good", kBottle, 2, 100);
    write_photos(folder_.path() / "new" / "bad", kBottle, 1, 200, {.has_defect = true});
  }

  std::filesystem::path path(const std::string& name) const { return folder_.path() / name; }

  ProgramResult run(std::vector<std::string> words) const {
    words.insert(words.begin(), CADENZA_TOY_PROGRAM);
    return run_program(words, folder_.path());
  }
  ProgramResult train(const std::string& task, std::vector<std::string> more = {}) const {
    std::vector<std::string> words = {"train",   "--task", task,       "--normal",  task,
                                      "--model", "line",   "--method", "toy_colour"};
    words.insert(words.end(), more.begin(), more.end());
    return run(words);
  }
  ProgramResult predict(std::vector<std::string> words) const {
    words.insert(words.begin(), "predict");
    words.insert(words.end(), {"--model", "line", "--json"});
    return run(words);
  }

  static std::vector<Json> lines_of(const std::string& text) {
    std::vector<Json> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(parse_json(line, "line"));
    return lines;
  }
  /// Verdicts without what a clock says.
  static std::string timeless(const std::string& text) {
    std::string all;
    for (auto line : lines_of(text)) {
      line.erase("milliseconds");
      all += line.dump() + "\n";
    }
    return all;
  }

  /// Name and digest of every file below a folder.
  std::string bytes_of(const std::string& name) const {
    if (!std::filesystem::exists(path(name))) return "none";
    std::set<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(path(name))) {
      if (!entry.is_regular_file()) continue;
      files.insert(cat(entry.path().string(), " ", sha256_hex(read_file(entry.path())), "\n"));
    }
    std::string all;
    for (const auto& file : files) all += file;
    return all;
  }

  TemporaryFolder folder_;
};

}  // namespace cadenza
