#include "fuzz/refusal.h"

#include "cadenza/checkpoint/zip.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  expect_read_or_refused([&] {
    const ZipArchive archive(as_input(data, size), "input", nullptr,
                             {.n_entries = 256, .entry_bytes = 1 << 24});
    for (const auto& [name, entry] : archive.entries()) {
      expect_read_or_refused([&] {
        expect(archive.read(entry).bytes.size() == entry.n_bytes, "an entry has its length");
      });
    }
  });
  return 0;
}
