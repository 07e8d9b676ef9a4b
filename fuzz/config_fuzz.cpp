// Configuration files: YAML, of which JSON is a part.
#include <filesystem>
#include <string>

#include "fuzz/refusal.h"
#include <unistd.h>

#include "cadenza/base/file.h"
#include "cadenza/cli/config.h"
#include "cadenza/cli/parse.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  static const auto file = std::filesystem::temp_directory_path() /
                           ("cadenza_config_fuzz_" + std::to_string(::getpid()));
  write_file(file, as_input(data, size));
  expect_read_or_refused([&] {
    try {
      read_config(file);
    } catch (const UsageError&) {  // the command line's own refusal
    }
  });
  return 0;
}
