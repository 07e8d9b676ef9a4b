// Archives of arrays, and one array alone.
#include "fuzz/refusal.h"

#include "cadenza/checkpoint/npy.h"
#include "cadenza/checkpoint/npz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace cadenza;
  const auto bytes = as_input(data, size);
  expect_read_or_refused([&] { write_npz(read_npz(bytes, "input", nullptr)); });
  expect_read_or_refused([&] { write_npy(read_npy(bytes, "input", nullptr)); });
  return 0;
}
