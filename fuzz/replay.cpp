// Where libFuzzer is not linked in: runs a fuzz target on the files of its corpus (folders or files
// on the command line), whole, cut at every length and with every byte changed in three ways.
#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <vector>

#include "cadenza/base/file.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size);

namespace {

namespace fs = std::filesystem;

std::vector<fs::path> files_of(int n_arguments, char** arguments) {
  std::vector<fs::path> files;
  for (int at = 1; at < n_arguments; ++at) {
    if (!fs::is_directory(arguments[at])) {
      files.emplace_back(arguments[at]);
      continue;
    }
    for (const auto& entry : fs::directory_iterator(arguments[at])) files.push_back(entry.path());
  }
  std::ranges::sort(files);
  return files;
}

/// A copy of just these bytes, so that a sanitizer sees a read behind them.
void run(const std::uint8_t* data, std::size_t size) {
  const std::vector<std::uint8_t> exact(data, data + size);
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

/// At most this many cuts and changes a file: large seeds are sampled evenly.
constexpr std::size_t kMostVariants = 512;

std::int64_t replay(const fs::path& file) {
  const auto content = cadenza::read_file(file);
  const auto* data = reinterpret_cast<const std::uint8_t*>(content.data());
  std::vector<std::uint8_t> bytes(data, data + content.size());
  run(bytes.data(), bytes.size());
  std::int64_t n_runs = 1;
  const auto step = std::max<std::size_t>(1, bytes.size() / kMostVariants);
  for (std::size_t at = 0; at < bytes.size(); at += step) {
    run(bytes.data(), at);
    const auto kept = bytes[at];
    for (const int changed : {0x00, 0xFF, kept ^ 1}) {
      bytes[at] = static_cast<std::uint8_t>(changed);
      run(bytes.data(), bytes.size());
    }
    bytes[at] = kept;
    n_runs += 4;
  }
  return n_runs;
}

}  // namespace

int main(int n_arguments, char** arguments) {
  const auto files = files_of(n_arguments, arguments);
  if (files.empty()) {
    std::cerr << "no seed in the corpus; name files or folders of them\n";
    return EXIT_FAILURE;
  }
  std::int64_t n_runs = 0;
  for (const auto& file : files) n_runs += replay(file);
  std::cout << files.size() << " seeds, " << n_runs << " inputs read or refused\n";
}
